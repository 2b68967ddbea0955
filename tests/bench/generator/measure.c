/* What was measured: samples, CPU and memory of processes, all printed as JSON. */
#include "generate.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void samples_add(struct samples *s, double value)
{
    if (s->count == s->cap) {
        s->cap = s->cap == 0 ? 1024 : s->cap * 2;
        s->at = realloc(s->at, s->cap * sizeof *s->at);
        if (s->at == NULL) abort();
    }
    s->at[s->count++] = value;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double at_share(const struct samples *s, double share)
{
    size_t i = (size_t)(share * (double)s->count);
    return s->at[i < s->count ? i : s->count - 1];
}

void samples_print(const char *name, struct samples *s)
{
    if (s->count == 0) {
        printf("\"%s\":null,", name);
        return;
    }
    double sum = 0;
    qsort(s->at, s->count, sizeof *s->at, by_value);
    for (size_t i = 0; i < s->count; i++) sum += s->at[i];
    printf("\"%s\":{\"count\":%zu,\"min\":%.4f,\"p50\":%.4f,\"p95\":%.4f,\"p99\":%.4f,"
           "\"max\":%.4f,\"mean\":%.4f},",
           name, s->count, s->at[0], at_share(s, 0.5), at_share(s, 0.95), at_share(s, 0.99),
           s->at[s->count - 1], sum / (double)s->count);
    free(s->at);
    *s = (struct samples){ 0 };
}

/* On-CPU seconds of a process's threads, by the scheduler's own nanoseconds. */
static double cpu_seconds(const char *pid)
{
    char path[512], line[128];
    double sum = 0;
    snprintf(path, sizeof path, "/proc/%s/task", pid);
    DIR *tasks = opendir(path);
    for (struct dirent *e; tasks != NULL && (e = readdir(tasks)) != NULL;) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%s/task/%s/schedstat", pid, e->d_name);
        FILE *f = fopen(path, "re");
        if (f == NULL) continue;
        if (fgets(line, sizeof line, f) != NULL) sum += strtod(line, NULL) / 1e9;
        fclose(f);
    }
    if (tasks != NULL) closedir(tasks);
    return sum;
}

static double cpu_of(const int *pids, int count)
{
    double sum = 0;
    char pid[16];
    for (int i = 0; i < count; i++) {
        snprintf(pid, sizeof pid, "%d", pids[i]);
        sum += cpu_seconds(pid);
    }
    return sum;
}

struct usage usage_now(const struct gen *g)
{
    const struct options *o = &g->options;
    struct usage u = { .own_s = cpu_of(o->pids, o->pids_count),
                       .generator_s = cpu_seconds("self"),
                       .at_ns = now_ns() };
    u.server_s = u.own_s + cpu_of(o->fronts, o->fronts_count);
    return u;
}

void usage_print(const char *name, struct usage from, struct usage to)
{
    printf("\"%s\":{\"wall_s\":%.4f,\"server_cpu_s\":%.4f,\"own_cpu_s\":%.4f,"
           "\"generator_cpu_s\":%.4f},",
           name, (double)(to.at_ns - from.at_ns) / 1e9, to.server_s - from.server_s,
           to.own_s - from.own_s, to.generator_s - from.generator_s);
}

static double pss_of(const int *pids, int count)
{
    char path[64], line[256];
    double sum = 0;
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pids[i]);
        FILE *f = fopen(path, "re");
        while (f != NULL && fgets(line, sizeof line, f) != NULL)
            if (strncmp(line, "Pss:", 4) == 0) sum += strtod(line + 4, NULL) * 1024;
        if (f != NULL) fclose(f);
    }
    return sum;
}

double pss_bytes(const struct gen *g, bool with_fronts)
{
    const struct options *o = &g->options;
    return pss_of(o->pids, o->pids_count) + (with_fronts ? pss_of(o->fronts, o->fronts_count) : 0);
}

void tally_print(const struct gen *g)
{
    const struct tally *t = &g->tally;
    printf("\"tally\":{\"sent\":%llu,\"received\":%llu,\"lost\":%llu,\"doubled\":%llu,"
           "\"disordered\":%llu,\"stray\":%llu,\"errors\":%llu,\"busy\":%llu,\"requests\":%llu}",
           (unsigned long long)t->sent, (unsigned long long)t->received,
           (unsigned long long)t->lost, (unsigned long long)t->doubled,
           (unsigned long long)t->disordered, (unsigned long long)t->stray,
           (unsigned long long)t->errors, (unsigned long long)t->busy,
           (unsigned long long)g->requests);
}
