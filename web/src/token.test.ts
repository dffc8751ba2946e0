import { expect, test } from 'vitest';
import { toTokenError } from './token';

const refused = (answer: string) =>
  new Error(`Error generating token from endpoint /token: received ${answer}`);

test('a refusal shows the code and the sentence of the server', () => {
  const error = toTokenError(
    refused('400 / {"code":"invalid_argument","msg":"room_name: too long"}'),
  );

  expect([error.status, error.code, error.message]).toEqual([
    400,
    'invalid_argument',
    'room_name: too long',
  ]);
});

test.each(['502 / <html>\n<h1>Bad Gateway</h1>', '502 / {"oops":1}', '502 / '])(
  'an answer of something between us and the server (%j) still says its status',
  (answer) => {
    const error = toTokenError(refused(answer));

    expect([error.status, error.code]).toEqual([502, 'http_502']);
  },
);

test('no answer at all is told apart from a refusal', () => {
  expect(toTokenError(new TypeError('Failed to fetch')).status).toBe(0);
});
