"""What happens by the clock: ticks, saves, pruning. APScheduler only puts orders on the queue (design D6)."""

from apscheduler.schedulers.background import BackgroundScheduler

from driftwatch.daemon.queue import Command, Queue

TICK_SECONDS = 1
PRUNE_SECONDS = 3_600


def schedule(queue: Queue, *, checkpoint_ms: int) -> BackgroundScheduler:
    """A scheduler, not started yet, that gives the engine its orders."""
    scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
    every = {Command.TICK: TICK_SECONDS, Command.SAVE: checkpoint_ms / 1000, Command.PRUNE: PRUNE_SECONDS}
    for command, seconds in every.items():
        scheduler.add_job(
            queue.order, "interval", args=[command], seconds=seconds, id=command.value, misfire_grace_time=None
        )
    return scheduler
