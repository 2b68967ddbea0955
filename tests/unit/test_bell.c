#include "bell.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const char boot[] = "01234567-89ab-cdef-0123-456789abcdef";
static char folder[] = "/tmp/klatch-bell-XXXXXX";
static char path[100];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/bell", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int open_bell(void **state)
{
    *state = bell_open(path, boot);
    return *state == NULL ? -1 : 0;
}

static int close_bell(void **state)
{
    bell_close(*state);
    return unlink(path);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* In a child: `rings` of `bucket`, after a pause. */
static pid_t ring_later(int pause_ms, uint32_t bucket, int rings)
{
    pid_t child = fork();
    if (child != 0) return child;
    struct bell *b = bell_open(path, boot);
    usleep((useconds_t)pause_ms * 1000);
    for (int i = 0; b != NULL && i < rings; i++) bell_ring(b, bucket);
    bell_close(b);
    _exit(b == NULL);
}

static void expect_success(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void buckets_are_the_same_everywhere_and_spread(void **state)
{
    (void)state;
    enum { ROOMS = 4096 };
    static bool used[BELL_BUCKETS];
    int distinct = 0;
    /* Fixed numbers: another version beside this one must ring the same bucket. */
    assert_int_equal(bell_bucket("tea"), 15457);
    assert_int_equal(bell_bucket(""), 10534);
    for (int i = 0; i < ROOMS; i++) {
        char room[20];
        snprintf(room, sizeof room, "room-%d", i);
        uint32_t bucket = bell_bucket(room);
        assert_in_range(bucket, 0, BELL_BUCKETS - 1);
        distinct += !used[bucket];
        used[bucket] = true;
    }
    assert_in_range(distinct, ROOMS * 85 / 100, ROOMS); /* 88.5% by chance */
}

static void what_was_rung_is_told_once(void **state)
{
    struct bell *b = *state;
    uint32_t out[BELL_RECENT], seen = bell_now(b), before = bell_rung(b, 7);
    assert_int_equal(bell_since(b, &seen, false, out), 0);
    bell_ring(b, 7);
    bell_ring(b, BELL_BUCKETS - 1);
    bell_ring(b, 7);
    bell_ring(b, 0);
    assert_int_equal(bell_rung(b, 7), before + 2);
    assert_int_equal(bell_since(b, &seen, false, out), 3);
    assert_int_equal(out[0], 7);
    assert_int_equal(out[1], BELL_BUCKETS - 1);
    assert_int_equal(out[2], 0);
    assert_int_equal(seen, bell_now(b));
    assert_int_equal(bell_since(b, &seen, false, out), 0);
    for (uint32_t i = 0; i < BELL_RECENT; i++) bell_ring(b, i);
    uint32_t behind = seen - 1;
    assert_int_equal(bell_since(b, &seen, false, out), BELL_RECENT);
    assert_int_equal(out[BELL_RECENT - 1], BELL_RECENT - 1);
    assert_true(bell_since(b, &behind, false, out) == SIZE_MAX); /* one more than is kept */
    assert_int_equal(behind, bell_now(b));
}

/* A ringer that died between counting and writing leaves a number without its bucket. */
static void a_ring_without_its_bucket_means_every_bucket(void **state)
{
    struct bell *b = *state;
    uint32_t out[BELL_RECENT], seen = bell_now(b);
    struct stat st;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    uint8_t *at = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    assert_true(at != MAP_FAILED);
    uint32_t *global = NULL;
    bell_ring(b, 9);
    bell_ring(b, 9);
    bell_ring(b, 9);
    for (size_t i = 0; i < 1024 && global == NULL; i += 4) {
        if (memcmp(at + i, &(uint32_t){ bell_now(b) }, 4) == 0 && i >= 80)
            global = (uint32_t *)(void *)(at + i);
    }
    assert_non_null(global);
    __atomic_fetch_add(global, 1, __ATOMIC_SEQ_CST);
    assert_int_equal(bell_now(b), seen + 4);
    assert_true(bell_since(b, &seen, false, out) == SIZE_MAX);
    bell_ring(b, 9);
    assert_int_equal(bell_since(b, &seen, false, out), 1);
    munmap(at, (size_t)st.st_size);
}

static void a_wait_ends_by_another_process_or_its_time(void **state)
{
    struct bell *b = *state;
    uint32_t seen = bell_now(b), out[BELL_RECENT];
    int64_t start_ms = now_ms();
    assert_false(bell_wait(b, seen, 40));
    assert_true(now_ms() - start_ms >= 39);
    assert_false(bell_wait(b, seen, 0));
    assert_false(bell_wait(b, seen, -5));
    start_ms = now_ms();
    assert_true(bell_listen(b, 77));
    pid_t child = ring_later(50, 77, 1);
    assert_true(bell_wait(b, seen, 10000));
    assert_true(now_ms() - start_ms < 5000);
    expect_success(child);
    assert_int_equal(bell_since(b, &seen, false, out), 1);
    assert_int_equal(out[0], 77);
    assert_true(bell_wait(b, seen - 1, 10000)); /* rung before: no sleep at all */
}

static void on_alarm(int number)
{
    (void)number;
}

static void a_signal_ends_a_wait(void **state)
{
    struct bell *b = *state;
    struct sigaction action = { .sa_handler = on_alarm }, before;
    sigaction(SIGALRM, &action, &before);
    int64_t start_ms = now_ms();
    ualarm(30000, 30000); /* again, should the first come before the sleep */
    assert_false(bell_wait(b, bell_now(b), 10000));
    ualarm(0, 0);
    sigaction(SIGALRM, &before, NULL);
    assert_true(now_ms() - start_ms < 5000);
}

/* Counts of the eventfd until `wanted` rings were seen or 10 s passed. */
static bool watch_until(struct bell *b, int event_fd, uint32_t wanted)
{
    struct pollfd poll_fd = { .fd = event_fd, .events = POLLIN };
    uint64_t count;
    int64_t end_ms = now_ms() + 10000;
    while (bell_now(b) != wanted && now_ms() < end_ms) {
        if (poll(&poll_fd, 1, 1000) == 1)
            assert_int_equal(read(event_fd, &count, sizeof count), sizeof count);
    }
    return bell_now(b) == wanted;
}

static void the_watch_thread_tells_the_loop(void **state)
{
    (void)state;
    int slow = 0;
    for (int round = 0; round < 20; round++) {
        struct bell *b = bell_open(path, boot);
        int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        uint32_t seen = bell_now(b);
        assert_true(bell_watch(b, event_fd, round % 2 - 1));
        assert_false(bell_watch(b, event_fd, round % 2 - 1));
        (void)bell_listen(b, 5);
        if (round > 0) { /* and once it is closed right after its start */
            pid_t child = ring_later(round, 5, 100);
            assert_true(watch_until(b, event_fd, seen + 100));
            expect_success(child);
        }
        int64_t start_ms = now_ms();
        bell_close(b);
        slow += now_ms() - start_ms >= 900;
        close(event_fd);
    }
    assert_true(slow < 10); /* joined by a wake: by its timer each would be slow */
}

static void own_rings_can_be_left_out_and_foreign_ones_stay(void **state)
{
    struct bell *b = *state, *other = bell_open(path, boot);
    uint32_t out[BELL_RECENT], all = bell_now(b), foreign = all;
    bell_ring(b, 1);
    bell_ring(other, 2);
    bell_ring(b, 3);
    assert_int_equal(bell_since(b, &foreign, true, out), 1);
    assert_int_equal(out[0], 2);
    assert_int_equal(bell_since(b, &all, false, out), 3);
    assert_int_equal(foreign, all);
    bell_close(other);
}

/* Does the eventfd tell of anything within `timeout_ms`? Reads it. */
static bool told(int event_fd, int timeout_ms)
{
    struct pollfd poll_fd = { .fd = event_fd, .events = POLLIN };
    uint64_t count;
    if (poll(&poll_fd, 1, timeout_ms) != 1) return false;
    assert_int_equal(read(event_fd, &count, sizeof count), sizeof count);
    return true;
}

static void with_an_ear_of_its_own_a_process_hears_all_others_and_not_itself(void **state)
{
    struct bell *b = *state, *other = bell_open(path, boot);
    int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int other_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    uint32_t out[BELL_RECENT], seen = bell_now(b);
    assert_true(bell_watch(b, event_fd, 0));
    assert_true(bell_watch(other, other_fd, 1));
    assert_true(told(event_fd, 10000)); /* of the start */
    assert_true(told(other_fd, 10000));
    assert_true(bell_listen(b, 7) && bell_listen(b, 8) && bell_listen(other, 9));
    for (uint32_t i = 0; i < 3 * BELL_RECENT; i++) bell_ring(b, i);
    assert_true(told(other_fd, 10000));
    for (int i = 0; i < 50; i++) {
        bell_ring(b, 7);
        bell_ring(other, 8);
        assert_true(told(event_fd, 10000));
        size_t count = bell_since(b, &seen, true, out);
        assert_int_equal(count, 1); /* however often it rang itself */
        assert_int_equal(out[0], 8);
    }
    assert_false(told(event_fd, 20));
    bell_close(other);
    close(event_fd);
    close(other_fd);
}

/* A thread that is awake when the ring comes notices it by itself; one that sleeps must sleep on.
 */
static bool sleeps_on(struct bell *ringer, uint32_t bucket, int event_fd)
{
    for (int i = 0; i < 20; i++) {
        bell_ring(ringer, bucket);
        if (!told(event_fd, 50)) return true;
    }
    return false;
}

static void only_who_listens_to_a_bucket_is_woken(void **state)
{
    struct bell *b = *state, *other = bell_open(path, boot), *next;
    int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(bell_watch(b, event_fd, 3));
    assert_true(told(event_fd, 10000)); /* of the start */
    assert_true(sleeps_on(other, 20, event_fd));
    assert_true(bell_listen(b, 20));
    assert_false(bell_listen(b, 20));
    uint32_t asked = bell_asked(b, 20), rung = bell_rung(b, 20);
    bell_ring(other, 20);
    assert_true(told(event_fd, 10000));
    bell_ask(other, 20);
    assert_true(told(event_fd, 10000));
    assert_int_equal(bell_asked(b, 20), asked + 1);
    assert_int_equal(bell_rung(b, 20), rung + 2);
    bell_ignore(b, 20);
    assert_true(sleeps_on(other, 20, event_fd));
    /* Who takes the ear of one that died listening begins with nothing. */
    assert_true(bell_listen(b, 21));
    next = bell_open(path, boot);
    assert_true(bell_watch(next, event_fd, 3));
    assert_true(bell_listen(next, 21));
    bell_close(next);
    bell_close(other);
    bell_close(b);
    close(event_fd);
    *state = bell_open(path, boot);
}

/* Each child asks for a look at its own bucket and waits until somebody did look: a lost ring
 * would leave it waiting. */
static void no_ring_is_lost_among_processes(void **state)
{
    enum { RINGERS = 4, RINGS = 1000 };
    struct bell *b = *state;
    uint32_t *asked = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint32_t *looked = asked + RINGERS, seen = bell_now(b), out[BELL_RECENT];
    pid_t children[RINGERS];
    for (uint32_t i = 0; i < RINGERS; i++) assert_true(bell_listen(b, i));
    for (uint32_t i = 0; i < RINGERS; i++) {
        children[i] = fork();
        if (children[i] != 0) continue;
        struct bell *mine = bell_open(path, boot);
        int64_t end_ms = now_ms() + 30000;
        for (uint32_t n = 1; n <= RINGS && now_ms() < end_ms; n++) {
            __atomic_store_n(&asked[i], n, __ATOMIC_SEQ_CST);
            bell_ring(mine, i);
            while (__atomic_load_n(&looked[i], __ATOMIC_SEQ_CST) != n && now_ms() < end_ms)
                usleep(0);
        }
        _exit(__atomic_load_n(&looked[i], __ATOMIC_SEQ_CST) != RINGS);
    }
    for (int ended = 0; ended < RINGERS;) {
        int status;
        if (!bell_wait(b, seen, 200) && waitpid(-1, &status, WNOHANG) > 0) {
            assert_int_equal(status, 0);
            ended++;
        }
        size_t count = bell_since(b, &seen, false, out);
        for (uint32_t at = 0; at < (count == SIZE_MAX ? RINGERS : count); at++) {
            uint32_t i = count == SIZE_MAX ? at : out[at];
            assert_in_range(i, 0, RINGERS - 1);
            __atomic_store_n(&looked[i], __atomic_load_n(&asked[i], __ATOMIC_SEQ_CST),
                             __ATOMIC_SEQ_CST);
        }
    }
    munmap(asked, 4096);
}

static void a_bell_cut_short_is_survived(void **state)
{
    (void)state;
    struct bell *b = bell_open(path, boot);
    int event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    uint32_t out[BELL_RECENT], seen = bell_now(b);
    bool superseded, elsewhere;
    assert_true(bell_alive(b));
    assert_true(bell_watch(b, event_fd, 3));
    assert_int_equal(truncate(path, 0), 0);
    assert_false(bell_alive(b));
    bell_ring(b, 3);
    bell_ring(b, BELL_BUCKETS - 1);
    bell_since(b, &seen, false, out);
    uint64_t ticket = bell_owner_claim(b, "peer", 1, &superseded, &elsewhere);
    assert_true(bell_owner_newest(b, "peer", ticket));
    assert_false(bell_wait(b, bell_now(b), 20));
    assert_false(bell_alive(b));
    bell_close(b);
    close(event_fd);
    b = bell_open(path, boot);
    assert_non_null(b);
    assert_true(bell_alive(b));
    bell_close(b);
    unlink(path);
}

/* One poll of one member after another. */
static void the_newest_poll_of_a_member_wins(void **state)
{
    struct bell *b = *state;
    enum { CLAIM, RELEASE, RESTART };
    static const struct {
        int line;
        int act, poll; /* polls by number */
        int64_t turn;  /* of a claim */
        bool superseded, elsewhere;
        const char *newest; /* polls that are the newest afterwards */
    } steps[] = {
        { __LINE__, CLAIM, 0, 5, false, false, "0" },
        { __LINE__, CLAIM, 1, 6, false, true, "1" },
        { __LINE__, CLAIM, 2, 4, true, false, "1" },    /* late on its way */
        { __LINE__, RELEASE, 0, 0, false, false, "1" }, /* the old one ends: nothing changes */
        { __LINE__, RELEASE, 2, 0, false, false, "1" },
        { __LINE__, CLAIM, 3, 6, false, true, "3" }, /* the same turn again: a retry */
        { __LINE__, RELEASE, 3, 0, false, false, "3" },
        { __LINE__, CLAIM, 4, 5, true, false, "3" }, /* low, though nobody waits any more */
        { __LINE__, CLAIM, 5, 7, false, false, "5" },
        { __LINE__, CLAIM, 6, -1, false, true, "6" }, /* without turns the later wins */
        { __LINE__, CLAIM, 7, -1, false, true, "7" },
        { __LINE__, CLAIM, 8, 1, false, true, "8" },
        { __LINE__, CLAIM, 9, 0, true, false, "8" },
        { __LINE__, RESTART, 8, 0, false, false, "" },
        { __LINE__, CLAIM, 10, 0, false, true, "A" }, /* a new key counts anew; 8 still waits */
        { __LINE__, RELEASE, 8, 0, false, false, "A" },
        { __LINE__, RELEASE, 10, 0, false, false, "A" },
        { __LINE__, RESTART, 10, 0, false, false, "" },
        { __LINE__, CLAIM, 11, 1073741823, false, false, "B" }, /* turns wrap at 2^30 */
        { __LINE__, CLAIM, 12, 1073741824, false, true, "C" },
        { __LINE__, CLAIM, 13, 1073741823, true, false, "C" },
        { __LINE__, CLAIM, 14, 1073741825, false, true, "E" },
    };
    uint64_t tickets[16] = { 0 };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        int number = steps[i].poll;
        bool superseded = false, elsewhere = false;
        if (steps[i].act == CLAIM)
            tickets[number] = bell_owner_claim(b, "peer-1", steps[i].turn, &superseded, &elsewhere);
        else if (steps[i].act == RELEASE)
            bell_owner_release(b, "peer-1", tickets[number]);
        else
            bell_owner_restart(b, "peer-1");
        if (superseded != steps[i].superseded || elsewhere != steps[i].elsewhere)
            fail_msg("line %d: superseded %d, elsewhere %d", steps[i].line, superseded, elsewhere);
        for (int other = 0; other < 15; other++) {
            bool newest = tickets[other] != 0 && bell_owner_newest(b, "peer-1", tickets[other]);
            if (newest != (strchr(steps[i].newest, "0123456789ABCDE"[other]) != NULL))
                fail_msg("line %d: poll %d is %s", steps[i].line, other, newest ? "newest" : "not");
        }
    }
}

static void members_that_share_a_word_never_end_each_others_polls(void **state)
{
    struct bell *b = *state;
    char peer[20];
    bool superseded, elsewhere;
    int covered = 0;
    uint64_t one = bell_owner_claim(b, "one", 9, &superseded, &elsewhere);
    /* Of 65,536 words; so somebody comes over the one of "one", and others over each other's. */
    for (int i = 0; i < 1000000 && covered < 3; i++) {
        snprintf(peer, sizeof peer, "peer-%d", i);
        uint64_t ticket = bell_owner_claim(b, peer, 0, &superseded, &elsewhere);
        assert_false(superseded);
        assert_true(bell_owner_newest(b, peer, ticket));
        assert_true(bell_owner_newest(b, "one", one));
        bell_owner_release(b, peer, ticket);
        uint64_t again = bell_owner_claim(b, "one", 9, &superseded, &elsewhere);
        assert_false(superseded);
        assert_true(elsewhere); /* its own poll, or one that was covered */
        assert_false(bell_owner_newest(b, "one", one));
        one = again;
        bell_owner_claim(b, peer, 1, &superseded, &elsewhere);
        assert_false(superseded);
        covered += elsewhere; /* its own word would say: nobody waits */
    }
    assert_int_equal(covered, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_are_the_same_everywhere_and_spread),
        cmocka_unit_test_setup_teardown(what_was_rung_is_told_once, open_bell, close_bell),
        cmocka_unit_test_setup_teardown(a_ring_without_its_bucket_means_every_bucket, open_bell,
                                        close_bell),
        cmocka_unit_test_setup_teardown(a_wait_ends_by_another_process_or_its_time, open_bell,
                                        close_bell),
        cmocka_unit_test_setup_teardown(a_signal_ends_a_wait, open_bell, close_bell),
        cmocka_unit_test_setup_teardown(the_watch_thread_tells_the_loop, open_bell, close_bell),
        cmocka_unit_test_setup_teardown(
            with_an_ear_of_its_own_a_process_hears_all_others_and_not_itself, open_bell,
            close_bell),
        cmocka_unit_test_setup_teardown(own_rings_can_be_left_out_and_foreign_ones_stay, open_bell,
                                        close_bell),
        cmocka_unit_test(a_bell_cut_short_is_survived),
        cmocka_unit_test_setup_teardown(only_who_listens_to_a_bucket_is_woken, open_bell,
                                        close_bell),
        cmocka_unit_test_setup_teardown(no_ring_is_lost_among_processes, open_bell, close_bell),
        cmocka_unit_test(a_bell_cut_short_is_survived),
        cmocka_unit_test_setup_teardown(the_newest_poll_of_a_member_wins, open_bell, close_bell),
        cmocka_unit_test_setup_teardown(members_that_share_a_word_never_end_each_others_polls,
                                        open_bell, close_bell),
    };
    return cmocka_run_group_tests_name("bell", tests, make_folder, remove_folder);
}
