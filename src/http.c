#include "http.h"

#include <stdlib.h>
#include <string.h>

#include "origin.h"

static const struct {
    int status;
    const char *title;
} titles[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 413, "Content Too Large" },
    { 415, "Unsupported Media Type" },
    { 423, "Locked" },
    { 429, "Too Many Requests" },
    { 500, "Internal Server Error" },
    { 503, "Service Unavailable" },
    { 507, "Insufficient Storage" },
};

static const char *title_of(int status)
{
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (titles[i].status == status) return titles[i].title;
    return "Error";
}

const char *http_env(char *const *env, const char *name)
{
    size_t len = strlen(name);
    for (; env != NULL && *env != NULL; env++)
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=') return *env + len + 1;
    return NULL;
}

int64_t http_content_length(char *const *env)
{
    const char *text = http_env(env, "CONTENT_LENGTH");
    if (text == NULL || *text == '\0' || strspn(text, "0123456789") != strlen(text) ||
        strlen(text) > 12)
        return -1;
    return strtoll(text, NULL, 10);
}

static enum http_method method_of(const char *text)
{
    if (text == NULL) return HTTP_OTHER;
    if (strcmp(text, "GET") == 0) return HTTP_GET;
    if (strcmp(text, "POST") == 0) return HTTP_POST;
    if (strcmp(text, "OPTIONS") == 0) return HTTP_OPTIONS;
    return HTTP_OTHER;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

size_t http_unescape(char *at, size_t len, bool plus)
{
    size_t to = 0;
    for (size_t i = 0; i < len; i++) {
        char c = at[i];
        if (c == '%') {
            if (len - i < 3) return SIZE_MAX;
            int high = hex_digit(at[i + 1]), low = hex_digit(at[i + 2]);
            if (high < 0 || low < 0) return SIZE_MAX;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        at[to++] = c;
    }
    return to;
}

bool http_form_field(struct arena *a, struct slice form, const char *name, struct slice *value)
{
    *value = SLICE_NONE;
    size_t name_len = strlen(name);
    const char *at = form.at, *end = form.at + form.len;
    while (at != NULL && at < end) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        if (stop == NULL) stop = end;
        size_t len = (size_t)(stop - at);
        if (len > name_len && memcmp(at, name, name_len) == 0 && at[name_len] == '=') {
            len -= name_len + 1;
            char *copy = arena_copy(a, at + name_len + 1, len);
            if (copy == NULL) return false;
            size_t left = http_unescape(copy, len, true);
            if (left == SIZE_MAX) return false;
            *value = (struct slice){ copy, left };
            return true;
        }
        at = stop < end ? stop + 1 : end;
    }
    return true;
}

static bool path_from_uri(struct request *rq, const char *uri)
{
    size_t uri_len = uri == NULL ? 0 : strcspn(uri, "?");
    const char *at = uri_len == 0 ? NULL : memmem(uri, uri_len, "/v1/", 4);
    rq->path = slice_of("");
    if (at == NULL) return true;
    size_t len = uri_len - (size_t)(at - uri);
    char *copy = arena_copy(rq->arena, at, len);
    if (copy == NULL) return false;
    size_t left = http_unescape(copy, len, false);
    if (left != SIZE_MAX && memchr(copy, '\0', left) == NULL)
        rq->path = (struct slice){ copy, left };
    return true;
}

bool http_request_from_env(struct request *rq, char *const *env)
{
    rq->env = env;
    rq->method = method_of(http_env(env, "REQUEST_METHOD"));
    rq->query = slice_of(http_env(env, "QUERY_STRING"));
    rq->content_type = slice_of(http_env(env, "CONTENT_TYPE"));
    rq->origin = slice_of(http_env(env, "HTTP_ORIGIN"));
    rq->key = slice_of(http_env(env, "HTTP_X_KLATCH_KEY"));
    const char *authorization = http_env(env, "HTTP_AUTHORIZATION");
    if (rq->key.at == NULL && authorization != NULL &&
        strncasecmp(authorization, "Bearer ", 7) == 0)
        rq->key = slice_of(authorization + 7);
    const char *address = http_env(env, "REMOTE_ADDR");
    rq->address = address == NULL ? "" : address;

    const char *info = http_env(env, "PATH_INFO");
    if (info == NULL || strncmp(info, "/v1/", 4) != 0)
        return path_from_uri(rq, http_env(env, "REQUEST_URI"));
    rq->path = slice_of(info);
    return true;
}

bool http_is_type(struct slice content_type, const char *type)
{
    size_t len = strlen(type);
    return content_type.len >= len && strncasecmp(content_type.at, type, len) == 0 &&
           (content_type.len == len || content_type.at[len] == ';' || content_type.at[len] == ' ');
}

void http_allow_origin(struct answer *an, const struct config *cfg, const struct request *rq)
{
    struct slice origin = rq->origin;
    an->origin[0] = '\0';
    if (origin.at == NULL || origin.len > HTTP_ORIGIN_BYTES_MAX) return;
    const char *allowed = origin_listed(&cfg->origins, origin);
    if (allowed == NULL) return;
    if (strcmp(allowed, "*") == 0) origin = slice_of(allowed);
    memcpy(an->origin, origin.at, origin.len);
    an->origin[origin.len] = '\0';
}

void http_answer_init(struct answer *an)
{
    *an = (struct answer){ .status = 200, .content_type = "application/json" };
    buf_init(&an->body, HTTP_ANSWER_BYTES_MAX);
}

void http_answer_free(struct answer *an)
{
    buf_free(&an->body);
}

void http_answer_problem(struct answer *an, struct problem p)
{
    an->status = p.status;
    an->code = p.code;
    an->content_type = "application/problem+json";
    an->retry_after_s = p.retry_after_s;
    buf_clear(&an->body);
    buf_printf(&an->body, "{\"title\":\"%s\",\"status\":%d,\"code\":\"%s\",\"detail\":\"%s\"}",
               title_of(p.status), p.status, p.code, p.detail);
}

void http_answer_write(const struct answer *an, struct buf *out)
{
    buf_printf(out, "Status: %d %s\r\n", an->status, title_of(an->status));
    if (an->status != 204) /* RFC 9110, section 8.6: no Content-Length in a 204 */
        buf_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", an->content_type,
                   an->body.len);
    buf_text(out, "Cache-Control: no-store\r\nVary: Origin\r\n"
                  "X-Content-Type-Options: nosniff\r\n");
    if (an->allow != NULL) buf_printf(out, "Allow: %s\r\n", an->allow);
    if (an->retry_after_s > 0) buf_printf(out, "Retry-After: %d\r\n", an->retry_after_s);
    if (an->origin[0] != '\0') {
        buf_printf(out, "Access-Control-Allow-Origin: %s\r\n", an->origin);
        buf_text(out, "Access-Control-Allow-Methods: GET, POST\r\n"
                      "Access-Control-Allow-Headers: Content-Type, X-Klatch-Key, Authorization\r\n"
                      "Access-Control-Expose-Headers: Retry-After\r\n"
                      "Access-Control-Max-Age: 600\r\n");
    }
    buf_text(out, "\r\n");
    buf_add(out, an->body.at, an->body.len);
}
