/* An app in a data folder of its own, with a clock that the test moves. */
#ifndef APP_FIXTURE_H
#define APP_FIXTURE_H

#include "app.h"
#include "buf.h"

struct app_fixture {
    struct app app;
    int64_t now_ms; /* the clock's, from 1,000,000 */
    char folder[64];
};

/* Make folder and app (opened); NULL: it can't be. */
struct app_fixture *app_fixture_new(void);
/* Close the app and remove the folder. */
void app_fixture_free(struct app_fixture *f);
/* Make a folder below /tmp for this test; its path goes to `out`. */
void test_folder(char out[64]);
void test_folder_remove(const char *folder);

enum { ANSWER_TEXT_BYTES = 128 };
/* The first text of this name in an answer's JSON, cut to the size of `out`; it has to be there. */
void answer_text(const struct buf *answer, const char *name, char out[ANSWER_TEXT_BYTES]);

#endif
