-- GET /todos/{id}, all of the seeded rows in an order of no use to a cache.
local requests, next_request = {}, 0
function init()
    for i = 1, 10000 do
        requests[i] = wrk.format("GET", "/todos/" .. ((i * 7919) % 10000 + 1))
    end
end
function request()
    next_request = next_request % 10000 + 1
    return requests[next_request]
end
