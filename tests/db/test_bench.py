"""What `safe-campus bench` measures is the real thing: forms sent to a served process, all of them kept."""

from config.benchmarks.saves import bench_saves


async def test_every_form_that_was_taken_is_kept_once() -> None:
    found = await bench_saves(1.0, lambda text: None, officers=3)
    assert found["ours"]["errors"] == found["django"]["errors"] == 0
    assert found["ours"]["saves"] > 0
    assert found["checked"] == {
        "entries": found["ours"]["taken"],
        "as_taken": True,
        "tallies_right": True,
        "trail_whole": True,
    }
