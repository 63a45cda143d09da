-- What wrk sends, taken from the environment (a secret in arguments would show in the process list), and one line of
-- JSON with what it saw. With BENCH_REFRESH_TOKENS every request spends the newest token of one chain of its own.

local function given(name)
  local value = os.getenv(name)
  if value ~= nil and value ~= "" then return value end
end

wrk.method = given("BENCH_METHOD")
wrk.body = given("BENCH_BODY")
wrk.headers["Authorization"] = given("BENCH_AUTHORIZATION")
if wrk.body then wrk.headers["Content-Type"] = "application/x-www-form-urlencoded" end

local chains = given("BENCH_REFRESH_TOKENS")

if chains then
  -- wrk does not say which connection an answer came on. A queue does as well: a token leaves it when sent, its
  -- successor joins at the end, so no token is sent twice and no two requests share a chain.
  local waiting, first, last = {}, 1, 0
  for token in chains:gmatch("%S+") do
    last = last + 1
    waiting[last] = token
  end
  local prefix = wrk.body

  function request()
    local token = waiting[first]
    -- A chain is lost only after a refusal; going on with a bad token keeps the failure visible in the count.
    if token == nil then return wrk.format(nil, nil, nil, prefix .. "none.left") end
    waiting[first] = nil
    first = first + 1
    return wrk.format(nil, nil, nil, prefix .. token)
  end

  function response(status, headers, body)
    local successor = body:match('"refresh_token"%s*:%s*"([^"]+)"')
    if successor then
      last = last + 1
      waiting[last] = successor
    end
  end
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\nBENCH {"requests": %d, "microseconds": %d, "p50_us": %d, "p99_us": %d, "status_errors": %d, "socket_errors": %d}\n',
    summary.requests, summary.duration, latency:percentile(50.0), latency:percentile(99.0),
    e.status, e.connect + e.read + e.write + e.timeout))
end
