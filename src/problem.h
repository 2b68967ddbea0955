/* problem: an operating error as the HTTP problem that it becomes (RFC 9457).
 * A value, never allocated: `code` and `detail` are string literals. `detail` tells the client
 * what it can mend, never SQL, a path or a key. status 0 is success. */
#ifndef KLATCH_PROBLEM_H
#define KLATCH_PROBLEM_H

struct problem {
    int status;
    const char *code;
    const char *detail;
    int retry_after_s; /* 0: no Retry-After */
};

#define PROBLEM(status, code, detail) ((struct problem){ (status), (code), (detail), 0 })
#define PROBLEM_RETRY(status, code, detail, seconds) \
    ((struct problem){ (status), (code), (detail), (seconds) })
#define NO_PROBLEM ((struct problem){ 0, 0, 0, 0 })

/* The room's file is locked by another process: nothing has changed, and the same call may be made
 * again at once. Any other 503 asks for a longer pause. */
#define PROBLEM_IS_BUSY(p) ((p).status == 503 && (p).retry_after_s <= 1)

#endif
