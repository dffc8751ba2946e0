declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  /** The options that are used here: https://swagger.io/docs/open-source-tools/swagger-ui/usage/configuration/ */
  export default function SwaggerUIBundle(options: {
    dom_id: string;
    url: string;
    tryItOutEnabled: boolean;
    validatorUrl: null;
  }): unknown;
}
