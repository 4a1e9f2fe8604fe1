-- A copy of the database talks to no KeyCRM, neither by itself nor when somebody calls it, and says so.
UPDATE keycrm_account
   SET enabled = false,
       push_stock = false,
       api_key_secret = NULL,
       webhook_token = NULL,
       webhook_token_digest = NULL,
       circuit_error_code = 'neutralized',
       circuit_error_params = NULL,
       circuit_failures = 0,
       circuit_open_until = NULL;
DELETE FROM keycrm_rate_limit;
