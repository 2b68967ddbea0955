/* park_give: who waits for what was just committed is given it, so that nobody has to look. */
#include <stdlib.h>

#include "park_internal.h"

enum {
    /* What all together are given until they are answered. Beyond that they look, one by one. */
    GIVEN_BYTES_MAX = 4 << 20,
};

void park_take_back(struct park *p, struct waiter *w)
{
    if (w->given == NULL) return;
    p->given_bytes -= w->given->text.len;
    buf_free(&w->given->text);
    free(w->given);
    w->given = NULL;
}

/* Does it wait for nothing but what it was given, if anything, and for this? */
static bool misses_nothing(const struct park_group *g, const struct waiter *w, uint32_t tenure)
{
    bool waits_only = !g->all && (!w->marked || w->given != NULL);
    return waits_only && !w->wait.waiting && tenure != 0 && w->wait.tenure == tenure;
}

/* False: more than an answer holds, or no memory. */
static bool add(struct park *p, struct waiter *w, const struct park_mail *mail)
{
    if (w->given == NULL) w->given = calloc(1, sizeof *w->given);
    if (w->given == NULL) return false;
    struct given_mail *given = w->given;
    struct buf *text = &given->text;
    if (given->count == 0) buf_init(text, ROOM_ANSWER_BYTES_MAX);
    if (given->count == ROOM_ANSWER_MESSAGES_MAX || p->given_bytes > GIVEN_BYTES_MAX) return false;
    size_t before = text->len;
    if (given->count > 0) buf_text(text, ",");
    buf_slice(text, mail->text);
    p->given_bytes += text->len - before;
    given->count++;
    given->next = mail->fresh.next;
    return !text->failed;
}

void park_give(struct park *p, const struct park_mail *mail)
{
    struct park_group *g = park_group_find(p, mail->room);
    if (g == NULL) return;
    park_wear_off(g);
    for (struct waiter *w = g->waiters; w != NULL; w = w->next) {
        bool its = mail->to.at != NULL ? slice_is(mail->to, w->wait.peer)
                                       : strcmp(mail->from, w->wait.peer) != 0;
        if (!its) continue;
        if (!misses_nothing(g, w, mail->fresh.tenure) || !add(p, w, mail)) park_take_back(p, w);
        w->marked = true;
        park_mark_group(p, g, false);
        if (mail->to.at != NULL) return;
    }
}
