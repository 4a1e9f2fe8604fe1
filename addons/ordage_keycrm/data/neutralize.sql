-- A copy of the database talks to no KeyCRM, neither by itself nor when somebody calls it.
UPDATE keycrm_account
   SET enabled = false,
       push_stock = false,
       api_key_secret = NULL,
       webhook_token = NULL,
       webhook_token_digest = NULL;
