/** Imported first: thousands of refused answers would each be a line in n8n's log. */
process.env.N8N_LOG_LEVEL = 'silent';
