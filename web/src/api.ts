/** The API to try: what /openapi.json says, by Swagger UI. */
import SwaggerUIBundle from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import 'swagger-ui-dist/swagger-ui.css';

SwaggerUIBundle({
  dom_id: '#api',
  url: '/openapi.json',
  tryItOutEnabled: true,
  // Swagger's own service would be told of the document otherwise.
  validatorUrl: null,
});
