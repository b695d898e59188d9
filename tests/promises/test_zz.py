import time, os, collections, pytest
from tests.follower import *
from tests.promises.test_isolation import switch_off_the_repair, switch_off_the_drop
@pytest.mark.parametrize("mode", ["follow","followrun", "pages"])
def test_x(monkeypatch, mode):
    lost=[]; holes=[]; t=time.process_time(); acks=0
    for s in range(100):
        story=Story(s, monkeypatch,slow_reads=True,most_creates=30); read=[]
        if mode=="pages":
            story.run(*[writer]*4, reader)
        else: story.run(*[writer]*4, lambda st: read.extend(follower(st, **({"run_id":RUN} if mode=="followrun" else {}))))
        acks+=len(story.acknowledged)
        assert sorted(set(read))==read
        l=set(story.of_run if mode=="followrun" else story.acknowledged)-set(read)
        if l and mode!="pages": lost.append(s)
        if story.lost(): holes.append(s)
    print(mode, "lost", lost, "holes", holes, (time.process_time()-t)/100, acks/100, flush=True)
