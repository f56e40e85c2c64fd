-- name: limits
SELECT min((setting_of(m.shop_id, 'session_idle_minutes') #>> '{}')::int) * 60 AS idle_s,
  min((setting_of(m.shop_id, 'session_hours') #>> '{}')::int) * 3600 AS whole_s
FROM membership m WHERE m.user_id = %(user_id)s

-- name: steps
-- Who had one taken away sets a new one, whatever the role.
SELECT EXISTS (SELECT FROM membership m
    WHERE m.user_id = %(user_id)s AND (setting_of(m.shop_id, 'mfa_required_roles') ? m.role) IS TRUE)
  OR EXISTS (SELECT FROM step_reset r WHERE r.user_id = %(user_id)s AND r.seen_at IS NULL) AS required,
  EXISTS (SELECT FROM mfa_authenticator a
    WHERE a.user_id = %(user_id)s AND a.type IN ('totp', 'webauthn')) AS present
