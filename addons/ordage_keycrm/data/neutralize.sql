-- A copy of the database talks to no KeyCRM, neither by itself nor when somebody calls it, and says so.
UPDATE keycrm_account
   SET enabled = false,
       push_stock = false,
       api_key_secret = NULL,
       webhook_token = NULL,
       webhook_token_digest = NULL,
       trouble_code = 'neutralized',
       trouble_params = NULL,
       trouble_count = 0,
       trouble_until = NULL;
DELETE FROM keycrm_rate_limit;
