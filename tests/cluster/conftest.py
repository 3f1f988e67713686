"""A SLURM of this machine alone: munge, slurmctld and slurmd of Debian, on the loopback."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/socket,cred_expire=10
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
ReturnToService=2
JobRequeue=1
KillWait=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@pytest.fixture(scope="session")
def slurm(tmp_path_factory) -> dict[str, str]:
    """The environment in which `sbatch` and its kin find the cluster."""
    if absent := [name for name in PROGRAMS if not shutil.which(name, path=paths())]:
        pytest.skip(f"{absent[0]} is not installed: apt-get install slurm-wlm (as .ci/run does)")
    folder = tmp_path_factory.mktemp("slurm", numbered=True)
    for part in ("state", "spool"):
        (folder / part).mkdir()
    for above in (folder, *folder.parents):
        if above.stat().st_uid == os.getuid() and above != Path("/"):
            above.chmod(0o1777 if above == Path("/tmp") else 0o755)  # munge asks for it
    (folder / "key").write_bytes(os.urandom(64))
    (folder / "key").chmod(0o600)
    cores = len(os.sched_getaffinity(0))
    host = socket.gethostname().split(".")[0]
    text = CONFIGURATION.format(host=host, folder=folder, cores=cores)
    (folder / "slurm.conf").write_text(text)
    environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": paths()}
    munge = [f"--{what}-file={folder / what}" for what in ("key", "pid", "log", "seed")]
    munged = ["munged", "--foreground", "--force", *munge, f"--socket={folder / 'socket'}"]
    started = []
    try:
        for command in (munged, ["slurmctld", "-c", "-D"], ["slurmd", "-c", "-D"]):
            with open(folder / f"{command[0]}.out", "w") as said:
                started.append(subprocess.Popen(command, env=environment, stdout=said, stderr=said))
            while command is munged and not (folder / "socket").exists():
                time.sleep(0.05)
        for _ in range(120):
            node = subprocess.run(["sinfo", "-h", "-o", "%t"], env=environment, capture_output=True)
            if node.stdout.strip() == b"idle":
                break
            time.sleep(0.25)
        else:
            pytest.fail("\n".join(path.read_text() for path in folder.glob("slurm*.out")))
        yield environment
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(30)


def paths() -> str:
    """Where programs are, those of administrators among them."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
