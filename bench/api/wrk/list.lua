-- A list of 50
wrk.path = "/todos?limit=50"
