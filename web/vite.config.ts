import { defineConfig } from 'vite';

/** Where `npm run dev` sends what is not the page: a token server that runs beside it. */
const tokenServer = 'http://127.0.0.1:8080';

export default defineConfig({
  build: {
    outDir: '../token_server/http_api/page',
    emptyOutDir: true,
    // Nothing inlined as data: URLs, so that the page lives under the CSP `default-src 'self'`.
    assetsInlineLimit: 0,
    rolldownOptions: { input: ['index.html', 'api.html'] },
    // livekit-client is most of the page (150 kB gzipped), Swagger UI all of the API's.
    chunkSizeWarningLimit: 2000,
  },
  server: {
    proxy: { '/token': tokenServer, '/rooms': tokenServer, '/openapi.json': tokenServer },
  },
});
