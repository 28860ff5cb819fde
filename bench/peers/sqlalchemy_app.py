"""The same table behind FastAPI and SQLAlchemy's asynchronous ORM, written as its documentation does."""

import os
from datetime import date, datetime

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel
from sqlalchemy import BigInteger, SmallInteger, func, select
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(
    os.environ["DATABASE_URL"].replace("postgres://", "postgresql+asyncpg://"),
    pool_size=int(os.environ["POOL_SIZE"]),
    max_overflow=0,
)
Session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Row(Base):
    __tablename__ = "todos"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    owner: Mapped[str] = mapped_column(default="")
    title: Mapped[str]
    completed: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int | None] = mapped_column(BigInteger)
    due_date: Mapped[date | None]
    tags: Mapped[list[str]] = mapped_column(JSONB, default=list)
    priority: Mapped[int | None] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=func.now())


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


async def session():
    async with Session() as session:
        yield session


app = FastAPI()


def todo_of(row: Row, request: Request) -> Todo:
    return Todo(
        id=row.id,
        title=row.title,
        completed=row.completed,
        order=row.position,
        url=f"{request.base_url}todos/{row.id}",
        dueDate=row.due_date,
        tags=row.tags,
        priority=row.priority,
        createdAt=row.created_at,
        updatedAt=row.updated_at,
    )


@app.get("/todos/{id}")
async def get_todo(id: int, request: Request, session: AsyncSession = Depends(session)) -> Todo:
    row = await session.get(Row, id)
    if row is None:
        raise HTTPException(404)
    return todo_of(row, request)


@app.get("/todos")
async def list_todos(request: Request, limit: int = 1000, session: AsyncSession = Depends(session)) -> list[Todo]:
    rows = await session.scalars(select(Row).order_by(Row.id).limit(limit))
    return [todo_of(row, request) for row in rows]


@app.post("/todos", status_code=201)
async def create_todo(
    new: NewTodo, request: Request, response: Response, session: AsyncSession = Depends(session)
) -> Todo:
    row = Row(
        title=new.title,
        completed=new.completed,
        position=new.order,
        due_date=new.dueDate,
        tags=new.tags,
        priority=new.priority,
    )
    session.add(row)
    await session.commit()
    todo = todo_of(row, request)
    response.headers["location"] = todo.url
    return todo
