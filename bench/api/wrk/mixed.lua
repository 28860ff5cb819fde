-- Four GETs by id for each POST
local requests, next_request = {}, 0
function init()
    local body = '{"title":"buy a pound of green tea","order":523,"tags":["shop"]}'
    for i = 1, 10000 do
        if i % 5 == 0 then
            requests[i] = wrk.format("POST", "/todos", {["Content-Type"] = "application/json"}, body)
        else
            requests[i] = wrk.format("GET", "/todos/" .. ((i * 7919) % 10000 + 1))
        end
    end
end
function request()
    next_request = next_request % 10000 + 1
    return requests[next_request]
end
