/*
 * The delete protocol as a model for the checker `spin`: writers, an archiver that may be killed at any step, a failover, and the database's
 * locks, small enough that every interleaving is tried. docs/model/check.sh runs it.
 *
 * One session with two messages; a third may be inserted. Writers get their transaction number when they begin and write later: low numbers
 * may commit late. name[] is what a fingerprint can see of a row version, content[] what it holds. A failover to a standby that lags gives
 * numbers out a second time, so that two contents may have one name.
 *
 * truth[] is what users committed last in the history that counts. The invariant, in monitor(), is section 6 of the product: at any instant
 * every such content is live, or inside a stored object that the ledger points to. Each of these takes one rule away, and then it fails:
 *   -DNO_FINGERPRINT   the versions deleted are not compared with those exported
 *   -DXMIN_SUM         they are compared by count and sum of transaction numbers
 *   -DNO_LOCK          the session is not locked before its messages are deleted
 *   -DDELETE_FIRST     the delete commits before the object is stored
 *   -DNO_LEASE         the delete does not ask whether the lock of its run is still held
 * -DWRITERS=n sets their number. -DEDITS has them only edit and takes crash and failover away: sums are equal by chance only from four writers
 * on, and this keeps their interleavings countable.
 */
#ifndef WRITERS
#define WRITERS 2
#endif
#define NEW 2       /* the row that is only ever inserted */
#define FREE 0
#define ARCHIVER 99

byte name[3];        /* of each row: its committed version; 0: none */
byte content[3];
byte truth[3];
byte rowlock[3];
byte keyshare;       /* inserts that hold the session by their foreign key */
bool sesslock;       /* the archiver holds it FOR UPDATE */
bool session;
byte number;         /* the last transaction number given out */
byte epoch;          /* changes with a failover, which ends every open transaction */

byte object[3];      /* contents in the stored object */
bool stored;
bool archived;       /* the ledger points to it */
bool lease;          /* the lock that the archiver's run took */

#define OK(r) (truth[r] == 0 || (session && content[r] == truth[r]) || (archived && stored && object[r] == truth[r]))

/* As at the start, which is also all that the standby has got. */
inline begin_history()
{
  session = true; archived = false; number = 2;
  name[0] = 1; content[0] = 101; truth[0] = 101;
  name[1] = 2; content[1] = 102; truth[1] = 102;
  name[NEW] = 0; content[NEW] = 0; truth[NEW] = 0;
  rowlock[0] = FREE; rowlock[1] = FREE; rowlock[NEW] = FREE; keyshare = 0; sesslock = false
}

proctype writer()
{
  byte me, r, mine;
#ifndef EDITS
  atomic { number++; me = number; mine = epoch }
#else
  me = _pid + 2;   /* all are open from the start, so any order of their numbers is as good as another */
#endif
#ifdef EDITS
  if :: r = 0 :: r = 1 fi;
#else
  if :: r = 0 :: r = 1 :: r = NEW fi;
#endif
  if
  :: r == NEW ->
       /* the foreign key's check waits for whoever holds the session, and fails once it is gone */
       atomic {
         mine != epoch || !sesslock ->
         if :: mine == epoch && session && name[NEW] == 0 && rowlock[NEW] == FREE -> keyshare++; rowlock[NEW] = me :: else -> goto end fi
       };
       atomic {
         if
         :: mine != epoch
         :: mine == epoch -> name[NEW] = me; content[NEW] = _pid; truth[NEW] = _pid; rowlock[NEW] = FREE; keyshare--
         :: mine == epoch -> rowlock[NEW] = FREE; keyshare--                                        /* rolled back */
         fi
       }
  :: else ->
       atomic {
         mine != epoch || rowlock[r] == FREE ->
         if :: mine == epoch && session && name[r] != 0 -> rowlock[r] = me :: else -> goto end fi
       };
       atomic {
         if
         :: mine != epoch
         :: mine == epoch -> name[r] = me; content[r] = _pid; truth[r] = _pid; rowlock[r] = FREE    /* edited */
#ifndef EDITS
         :: mine == epoch -> name[r] = 0; content[r] = 0; truth[r] = 0; rowlock[r] = FREE           /* deleted by the user */
         :: mine == epoch -> rowlock[r] = FREE
#endif
         fi
       }
  fi;
end: skip
}

proctype failover()
{
#ifndef EDITS
  if
  :: atomic { lease = false; epoch++; begin_history() }
  :: true
  fi
#else
  skip
#endif
}

#ifdef NO_FINGERPRINT
#define SAME true
#elif defined(XMIN_SUM)
#define COUNT(a) ((a[0] > 0) + (a[1] > 0) + (a[2] > 0))
#define SAME (COUNT(gone) == COUNT(wanted) && gone[0] + gone[1] + gone[2] == wanted[0] + wanted[1] + wanted[2])
#else
#define SAME (gone[0] == wanted[0] && gone[1] == wanted[1] && gone[2] == wanted[2])
#endif

#ifdef NO_LEASE
#define HELD true
#else
#define HELD lease
#endif

byte wanted[3];      /* names exported */
byte exported[3];    /* contents exported */
byte gone[3];        /* names deleted so far in the open transaction */
byte runs, mine;

inline unlock()
{
  if :: mine == epoch ->
       if :: rowlock[0] == ARCHIVER -> rowlock[0] = FREE :: else fi;
       if :: rowlock[1] == ARCHIVER -> rowlock[1] = FREE :: else fi;
       if :: rowlock[2] == ARCHIVER -> rowlock[2] = FREE :: else fi;
       sesslock = false
  :: else
  fi;
  gone[0] = 0; gone[1] = 0; gone[2] = 0
}

/* kill -9 between any two steps: locks and the open transaction go, what is stored and committed stays; another run follows. */
#ifdef EDITS
#define CRASH skip
#else
#define CRASH if :: true :: atomic { runs < 2 -> unlock(); goto again } fi
#endif
/* The connection broke under the transaction: the work is tried again on a new one. */
#define BROKEN atomic { if :: mine != epoch -> unlock(); goto delete :: else fi }

inline delete_row(r)
{
  if
  :: seen[r] -> atomic { mine != epoch || rowlock[r] == FREE -> if :: mine == epoch -> rowlock[r] = ARCHIVER; gone[r] = name[r] :: else fi }
  :: else
  fi
}

proctype archiver()
{
  byte seen[3];
again:
  atomic { if :: runs == 2 || archived -> goto end :: else fi; runs++; lease = true };
  /* export, from one snapshot */
  atomic {
    if :: !session -> goto end :: else fi;
    wanted[0] = name[0]; wanted[1] = name[1]; wanted[2] = name[2];
    exported[0] = content[0]; exported[1] = content[1]; exported[2] = content[2]
  };
  CRASH;
#ifndef DELETE_FIRST
  /* always a new object, read back before it counts */
  atomic { object[0] = exported[0]; object[1] = exported[1]; object[2] = exported[2]; stored = true };
  CRASH;
#endif
delete:
  mine = epoch;
#ifndef NO_LOCK
  /* FOR UPDATE SKIP LOCKED, in a statement of its own */
  atomic { if :: keyshare > 0 || !session -> goto again :: else -> sesslock = true fi };
  CRASH;
#endif
  /* the messages: chosen by a snapshot; each waits for its writer and is then taken in its newest version */
  atomic { seen[0] = name[0]; seen[1] = name[1]; seen[2] = name[2] };
  delete_row(0); delete_row(1); delete_row(2);
  BROKEN;
  atomic { if :: SAME :: else -> unlock(); goto again fi };
  CRASH;
  /* the session: waits for inserts that hold it by key; its cascade takes whatever message is there by then */
  atomic { mine != epoch || keyshare == 0 -> if :: mine == epoch -> sesslock = true :: else fi };
  BROKEN;
  CRASH;
  /* the lease is the last question before the commit; record and delete are one transaction */
  atomic {
    if
    :: mine != epoch -> unlock(); goto delete
    :: mine == epoch && HELD ->
         unlock(); session = false; archived = true;
         name[0] = 0; name[1] = 0; name[2] = 0; content[0] = 0; content[1] = 0; content[2] = 0
    :: mine == epoch && !HELD -> unlock(); goto end
    fi
  };
#ifdef DELETE_FIRST
  CRASH;
  atomic { object[0] = exported[0]; object[1] = exported[1]; object[2] = exported[2]; stored = true };
#endif
end: skip
}

proctype monitor() { assert(OK(0) && OK(1) && OK(2)) }

init
{
  byte i;
  atomic {
    begin_history();
    do :: i < WRITERS -> run writer(); i++ :: else -> break od;
    run archiver(); run failover(); run monitor()
  }
}
