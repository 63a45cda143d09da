-- Forward authentication by authcenter for HAProxy 2.6 and later, without SPOE.
--
--     global
--         lua-load-per-thread /etc/haproxy/authcenter.lua
--     frontend api
--         http-request lua.authcenter http://127.0.0.1:8080/oauth/validate/shop
--         http-request deny deny_status 503 unless { var(txn.authcenter_passed) -m bool }
--
-- The second line is part of it: should this script ever fail, HAProxy goes on with the next rule.

local IDENTITY = {
  "x-auth-subject", "x-auth-client", "x-auth-scope", "x-auth-username", "x-auth-roles", "x-auth-acr",
}
local TIMEOUT_MS = 2000
local UNAVAILABLE = '{"error":"temporarily_unavailable","error_description":"Try again later."}'

local function all(headers, name)
  local values = {}
  local index = 0
  while headers[name] and headers[name][index] do
    values[index + 1] = headers[name][index]
    index = index + 1
  end
  return values
end

-- Whatever a framework could take for X-Auth-…: X_Auth_Subject, x.auth-subject, X--Auth-Subject.
local function strip(txn, headers)
  for name in pairs(headers) do
    if string.match(string.lower(name), "^x[^%w]*auth[^%w]") then
      txn.http:req_del_header(name)
    end
  end
end

local function refuse(txn, status, headers, body)
  local reply = txn:reply({ status = status })
  reply:add_header("content-type", "application/json")
  reply:add_header("cache-control", "no-store")
  for name, value in pairs(headers) do
    reply:add_header(name, value)
  end
  reply:set_body(body)
  txn:done(reply)
end

local function ask(txn, url, headers)
  -- Only the token, all of its headers where there are several, and what authcenter's log wants to know.
  local question = {
    ["x-original-method"] = { txn.sf:method() },
    ["x-original-uri"] = { txn.sf:path() },
    ["x-forwarded-for"] = { txn.sf:src() },
  }
  local authorization = all(headers, "authorization")
  if #authorization > 0 then
    question["authorization"] = authorization
  end
  return core.httpclient():get({ url = url, headers = question, timeout = TIMEOUT_MS })
end

local function authcenter(txn, url)
  local headers = txn.http:req_get_headers()
  strip(txn, headers)
  local answer = ask(txn, url, headers)
  local status = answer and answer.status or 0
  if status == 200 then
    for _, name in ipairs(IDENTITY) do
      local value = answer.headers[name] and answer.headers[name][0]
      if value == nil then
        -- Not authcenter's answer: it always sends all of them.
        return refuse(txn, 503, { ["retry-after"] = "5" }, UNAVAILABLE)
      end
      if value ~= "" then
        txn.http:req_set_header(name, value)
      end
    end
    txn:set_var("txn.authcenter_passed", true)
  elseif status == 401 or status == 403 then
    local challenge = answer.headers["www-authenticate"] and answer.headers["www-authenticate"][0]
    refuse(txn, status, challenge and { ["www-authenticate"] = challenge } or {}, answer.body or "")
  else
    core.Warning("authcenter: " .. url .. " answers " .. tostring(status))
    refuse(txn, 503, { ["retry-after"] = "5" }, UNAVAILABLE)
  end
end

core.register_action("authcenter", { "http-req" }, authcenter, 1)
