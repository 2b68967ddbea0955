/* http: a request as the web server passed it, and the answer to it, whichever way (FastCGI or
 * CGI) they travel. Bounds are checked where a request is made (gateway, cgi); here are headers,
 * CORS, problem+json and the text of the answer. */
#ifndef KLATCH_HTTP_H
#define KLATCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "arena.h"
#include "buf.h"
#include "problem.h"

enum {
    HTTP_BODY_BYTES_MAX = 262144,   /* any body; a route may take less */
    HTTP_PARAMS_BYTES_MAX = 65536,  /* all variables the web server passes */
    HTTP_ANSWER_BYTES_MAX = 327680, /* one message's 64 kB, or 128 kB of small ones, and what JSON
                                       wraps around them */
    HTTP_ORIGIN_BYTES_MAX = 280,    /* a scheme, a host's 253 and a port; none is longer */
};

enum http_method { HTTP_GET, HTTP_POST, HTTP_OPTIONS, HTTP_OTHER };

/* Everything points into `arena` or into memory that lives as long. Absent: at == NULL. */
struct request {
    struct arena *arena;
    enum http_method method;
    struct slice path; /* begins with /v1/, decoded, without the query */
    struct slice query;
    struct slice content_type;
    struct slice origin;
    struct slice key; /* X-Klatch-Key or Authorization: Bearer */
    struct slice body;
    bool body_too_large; /* body is empty then */
    int64_t busy_ms;     /* when a room that it asks for was first found locked; 0: none was */
    bool again;          /* handled before, with OUTCOME_BUSY: its rate was counted then */
    bool patient;        /* what it is busy with ends by itself: ROUTE_PATIENT_MS */
    void *kept;          /* what the handler keeps in the arena for when it is asked again */
    const char *address; /* REMOTE_ADDR, "" when unknown */
    char *const *env;    /* every variable; NULL: none */
};

struct answer {
    int status;       /* 0: nothing to send */
    uint8_t call;     /* the number of the call (route_call_name()) that it answers; 0: none */
    const char *code; /* of the problem; NULL: it is none */
    const char *content_type;
    const char *allow;                      /* methods, for 405 and OPTIONS; NULL: no header */
    int retry_after_s;                      /* 0: no header */
    char origin[HTTP_ORIGIN_BYTES_MAX + 1]; /* that may read this; empty: only its own */
    struct buf body;
};

/* Fill `rq` from variables `name=value` (CGI/1.1, RFC 3875 section 4.1); slices point into them.
 * The path is PATH_INFO where that begins with /v1/, else what stands from the first /v1/ of
 * REQUEST_URI, decoded into the arena. Body and arena are the caller's. False: memory is out. */
bool http_request_from_env(struct request *rq, char *const *env);

/* The value of CONTENT_LENGTH; -1: absent, empty or not a number. */
int64_t http_content_length(char *const *env);
/* The value of `name` in env, which may be NULL; NULL: absent. */
const char *http_env(char *const *env, const char *name);

/* Is this content type `type`, with or without parameters? */
bool http_is_type(struct slice content_type, const char *type);
/* Let the origin that `rq` names read `an`, when the configuration allows it. */
void http_allow_origin(struct answer *an, const struct config *cfg, const struct request *rq);

void http_answer_init(struct answer *an);
void http_answer_free(struct answer *an);
/* Turn `an` into the problem `p` (application/problem+json, RFC 9457), replacing its body. */
void http_answer_problem(struct answer *an, struct problem p);
/* Append `an` as CGI output: Status, headers, empty line, body. */
void http_answer_write(const struct answer *an, struct buf *out);

/* Decode percent escapes and, with `plus`, + as a space, in place; the length left, or SIZE_MAX on
 * a broken escape. */
size_t http_unescape(char *at, size_t len, bool plus);
/* The decoded value of field `name` in an application/x-www-form-urlencoded text (WHATWG URL,
 * section 5.1): true and *value (absent where the field is), false on a broken escape or no memory.
 */
bool http_form_field(struct arena *a, struct slice form, const char *name, struct slice *value);

#endif
