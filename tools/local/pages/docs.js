SwaggerUIBundle({ dom_id: "#page", url: "/openapi.json", deepLinking: true, showExtensions: true, validatorUrl: null });
