"""The same table behind FastAPI and asyncpg, written as its documentation does."""

import json
import os
from contextlib import asynccontextmanager
from datetime import date, datetime

import asyncpg
from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel

COLUMNS = "id, title, completed, position, due_date, tags, priority, created_at, updated_at"


class NewTodo(BaseModel):
    title: str
    completed: bool = False
    order: int | None = None
    dueDate: date | None = None
    tags: list[str] = []
    priority: int | None = None


class Todo(NewTodo):
    id: int
    url: str
    createdAt: datetime
    updatedAt: datetime


async def prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


@asynccontextmanager
async def lifespan(app: FastAPI):
    size = int(os.environ["POOL_SIZE"])
    app.state.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=size, max_size=size, init=prepare)
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


def todo_of(row: asyncpg.Record, request: Request) -> Todo:
    return Todo(
        id=row["id"],
        title=row["title"],
        completed=row["completed"],
        order=row["position"],
        url=f"{request.base_url}todos/{row['id']}",
        dueDate=row["due_date"],
        tags=row["tags"],
        priority=row["priority"],
        createdAt=row["created_at"],
        updatedAt=row["updated_at"],
    )


@app.get("/todos/{id}")
async def get_todo(id: int, request: Request) -> Todo:
    row = await app.state.pool.fetchrow(f"select {COLUMNS} from todos where id = $1", id)
    if row is None:
        raise HTTPException(404)
    return todo_of(row, request)


@app.get("/todos")
async def list_todos(request: Request, limit: int = 1000) -> list[Todo]:
    rows = await app.state.pool.fetch(f"select {COLUMNS} from todos order by id limit $1", limit)
    return [todo_of(row, request) for row in rows]


@app.post("/todos", status_code=201)
async def create_todo(new: NewTodo, request: Request, response: Response) -> Todo:
    row = await app.state.pool.fetchrow(
        "insert into todos (owner, title, completed, position, due_date, tags, priority)"
        f" values ('', $1, $2, $3, $4, $5, $6) returning {COLUMNS}",
        new.title,
        new.completed,
        new.order,
        new.dueDate,
        new.tags,
        new.priority,
    )
    todo = todo_of(row, request)
    response.headers["location"] = todo.url
    return todo
