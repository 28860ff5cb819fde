-- POST /todos
wrk.method = "POST"
wrk.path = "/todos"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"title":"buy a pound of green tea","order":523,"tags":["shop"]}'
