-- One user for each kind of process, in the roles of roles.sql and in no other. Run by the database's owner, after roles.sql and whenever a password changes.
-- Passwords come from the environment of psql 14 or newer: PROMOTIONS_PIPELINE_PASSWORD, PROMOTIONS_API_PASSWORD, PROMOTIONS_SINKS_PASSWORD.

\set ON_ERROR_STOP on
\getenv pipeline_password PROMOTIONS_PIPELINE_PASSWORD
\getenv api_password PROMOTIONS_API_PASSWORD
\getenv sinks_password PROMOTIONS_SINKS_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', name) FROM unnest(ARRAY['pipeline', 'api', 'sinks']) AS name WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE pipeline PASSWORD :'pipeline_password';
ALTER ROLE api PASSWORD :'api_password';
ALTER ROLE sinks PASSWORD :'sinks_password';
GRANT promotions_pipeline TO pipeline;
GRANT promotions_api TO api;
GRANT promotions_sinks, promotions_expiry TO sinks;
