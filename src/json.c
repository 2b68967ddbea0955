#include "json.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <string.h>

/* A body is read twice, both times in linear time: json_valid() of the whole, then a walk along the
 * field table, which only has to find bounds. cJSON sees single strings and numbers of known
 * fields, never a container and never a raw value. */

enum {
    FIELDS_MAX = 64,                    /* of one table: the bits of a uint64_t */
    NUMBER_BYTES_MAX = 63,              /* cJSON reads no more of a number */
    BODY_DEPTH_MAX = 2 * JSON_DEPTH_MAX /* the envelope's and a raw value's */
};

struct scan {
    const unsigned char *at, *end;
    bool unique; /* a field that stands twice is refused */
};

static struct scan scan_of(struct slice text)
{
    const unsigned char *at = (const unsigned char *)text.at;
    return (struct scan){ .at = at, .end = at + text.len };
}

/* Is the next byte `c`? Then step over it. */
static bool take(struct scan *s, unsigned char c)
{
    if (s->at == s->end || *s->at != c) return false;
    s->at++;
    return true;
}

static void skip_space(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool scan_literal(struct scan *s, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0) return false;
    s->at += len;
    return true;
}

static bool scan_digits(struct scan *s)
{
    const unsigned char *first = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9') s->at++;
    return s->at > first;
}

/* RFC 8259, section 6. */
static bool scan_number(struct scan *s)
{
    take(s, '-');
    if (!take(s, '0') && !scan_digits(s)) return false;
    if (take(s, '.') && !scan_digits(s)) return false;
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+')) take(s, '-');
        if (!scan_digits(s)) return false;
    }
    return true;
}

static bool scan_hex4(struct scan *s, unsigned *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, s->at++) {
        if (s->at == s->end) return false;
        unsigned char c = *s->at;
        unsigned char folded = c | 0x20;
        if (c >= '0' && c <= '9')
            *unit = *unit << 4 | (unsigned)(c - '0');
        else if (folded >= 'a' && folded <= 'f')
            *unit = *unit << 4 | (unsigned)(folded - 'a' + 10);
        else
            return false;
    }
    return true;
}

/* What follows a backslash. A surrogate must be one of a pair, since else what it stands for could
 * not be written in UTF-8. */
static bool scan_escape(struct scan *s, bool *has_nul)
{
    if (s->at == s->end) return false;
    unsigned char c = *s->at++;
    if (c != 'u') return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
    unsigned unit, low;
    if (!scan_hex4(s, &unit)) return false;
    if (unit == 0) *has_nul = true;
    if (unit < 0xd800 || unit > 0xdfff) return true;
    return unit <= 0xdbff && take(s, '\\') && take(s, 'u') && scan_hex4(s, &low) && low >= 0xdc00 &&
           low <= 0xdfff;
}

/* RFC 8259, section 7. That the bytes are UTF-8 was looked at before. *has_nul is set when
 * \u0000 stands in it. */
static bool scan_string(struct scan *s, bool *has_nul)
{
    if (!take(s, '"')) return false;
    while (s->at < s->end) {
        unsigned char c = *s->at++;
        if (c == '"') return true;
        if (c < 0x20 || (c == '\\' && !scan_escape(s, has_nul))) return false;
    }
    return false;
}

/* A value whose containers nest at most `depth` deep. */
static bool scan_value(struct scan *s, int depth)
{
    bool has_nul = false;
    if (s->at == s->end) return false;
    unsigned char opening = *s->at;
    switch (opening) {
    case '"': return scan_string(s, &has_nul);
    case 't': return scan_literal(s, "true");
    case 'f': return scan_literal(s, "false");
    case 'n': return scan_literal(s, "null");
    case '{':
    case '[': break;
    default: return scan_number(s);
    }
    unsigned char closing = opening == '{' ? '}' : ']';
    if (depth == 0) return false;
    s->at++;
    skip_space(s);
    if (take(s, closing)) return true;
    for (;;) {
        if (opening == '{') {
            skip_space(s);
            if (!scan_string(s, &has_nul)) return false;
            skip_space(s);
            if (!take(s, ':')) return false;
        }
        skip_space(s);
        if (!scan_value(s, depth - 1)) return false;
        skip_space(s);
        if (take(s, closing)) return true;
        if (!take(s, ',')) return false;
    }
}

static bool valid_to_depth(struct slice text, int depth)
{
    if (text.at == NULL || !json_utf8_valid(text)) return false;
    struct scan s = scan_of(text);
    skip_space(&s);
    if (!scan_value(&s, depth)) return false;
    skip_space(&s);
    return s.at == s.end;
}

bool json_valid(struct slice text)
{
    return valid_to_depth(text, JSON_DEPTH_MAX);
}

/* RFC 3629, section 4: the second byte's range depends on the first, the others are 80..BF. */
bool json_utf8_valid(struct slice text)
{
    struct scan s = scan_of(text);
    while (s.at < s.end) {
        unsigned char c = *s.at++, least = 0x80, most = 0xbf;
        int more;
        if (c < 0x80) continue;
        if (c >= 0xc2 && c <= 0xdf)
            more = 1;
        else if (c >= 0xe0 && c <= 0xef)
            more = 2;
        else if (c >= 0xf0 && c <= 0xf4)
            more = 3;
        else
            return false;
        if (c == 0xe0)
            least = 0xa0;
        else if (c == 0xed)
            most = 0x9f;
        else if (c == 0xf0)
            least = 0x90;
        else if (c == 0xf4)
            most = 0x8f;
        for (; more > 0; more--, s.at++) {
            if (s.at == s.end || *s.at < least || *s.at > most) return false;
            least = 0x80;
            most = 0xbf;
        }
    }
    return true;
}

static struct problem wrong_body(void)
{
    return PROBLEM(400, "invalid-request",
                   "The body is not one JSON value (RFC 8259, UTF-8, at most 64 levels deep).");
}

static struct problem wrong_field(const struct json_field *field)
{
    return PROBLEM(400, "invalid-request",
                   field->wrong != NULL ? field->wrong : "A field is missing or out of bounds.");
}

static struct problem too_large(const char *detail)
{
    return PROBLEM(413, "message-too-large", detail);
}

static struct problem arena_full(void)
{
    return too_large("The body needs more memory than a request may have.");
}

/* The text of a valid JSON string, with a NUL behind it. False: no memory. */
static bool decode_string(struct arena *a, struct slice quoted, struct slice *out)
{
    if (memchr(quoted.at, '\\', quoted.len) == NULL) {
        *out = (struct slice){ arena_copy(a, quoted.at + 1, quoted.len - 2), quoted.len - 2 };
        return out->at != NULL;
    }
    cJSON *item = cJSON_ParseWithLength(quoted.at, quoted.len);
    const char *text = cJSON_GetStringValue(item);
    *out = SLICE_NONE;
    if (text != NULL) {
        size_t len = strlen(text);
        *out = (struct slice){ arena_copy(a, text, len), len };
    }
    cJSON_Delete(item);
    return out->at != NULL;
}

static bool decode_integer(struct slice digits, int64_t min, int64_t max, int64_t *out)
{
    if (digits.len > NUMBER_BYTES_MAX) return false;
    cJSON *item = cJSON_ParseWithLength(digits.at, digits.len);
    bool is_number = cJSON_IsNumber(item);
    double number = is_number ? cJSON_GetNumberValue(item) : 0;
    cJSON_Delete(item);
    if (!is_number || number < (double)min || number > (double)max) return false;
    *out = (int64_t)number;
    return (double)*out == number;
}

static struct problem decode_object(struct arena *a, struct scan *s,
                                    const struct json_field *fields, int depth, char *out);

/* How many values stand in the valid array at `s`? */
static size_t count_rows(struct scan s)
{
    size_t count = 0;
    s.at++;
    skip_space(&s);
    while (!take(&s, ']')) {
        if (!scan_value(&s, BODY_DEPTH_MAX)) return count;
        count++;
        skip_space(&s);
        take(&s, ',');
        skip_space(&s);
    }
    return count;
}

static struct problem decode_list(struct arena *a, struct scan *s, const struct json_field *field,
                                  int depth, char *out)
{
    if (s->at == s->end || *s->at != '[' || depth == 0) return wrong_field(field);
    size_t count = count_rows(*s), bytes;
    if ((int64_t)count < field->min || (int64_t)count > field->max) return wrong_field(field);
    char *rows = NULL;
    if (!__builtin_mul_overflow(count, field->row_size, &bytes)) rows = arena_alloc(a, bytes);
    if (rows == NULL) return arena_full();
    take(s, '[');
    for (size_t i = 0; i < count; i++) {
        skip_space(s);
        if (s->at == s->end || *s->at != '{') return wrong_field(field);
        struct problem p = decode_object(a, s, field->row, depth - 1, rows + i * field->row_size);
        if (p.status != 0) return p;
        skip_space(s);
        take(s, ',');
    }
    skip_space(s);
    take(s, ']');
    memcpy(out + field->offset, &rows, sizeof rows);
    memcpy(out + field->count_offset, &count, sizeof count);
    return NO_PROBLEM;
}

/* The bytes of the value at `s`, stepped over. False: deeper than allowed. */
static bool take_value(struct scan *s, int depth, struct slice *out)
{
    const unsigned char *first = s->at;
    if (!scan_value(s, depth)) return false;
    *out = (struct slice){ (const char *)first, (size_t)(s->at - first) };
    return true;
}

static struct problem decode_string_field(struct arena *a, struct slice value,
                                          const struct json_field *field, char *out)
{
    struct scan s = scan_of(value);
    struct slice text;
    bool has_nul = false;
    if (!scan_string(&s, &has_nul) || has_nul) return wrong_field(field);
    if (!decode_string(a, value, &text)) return arena_full();
    if ((int64_t)text.len < field->min || (int64_t)text.len > field->max) return wrong_field(field);
    memcpy(out + field->offset, &text, sizeof text);
    return NO_PROBLEM;
}

/* The value at `s` into `out`; *given is false for a null that means absent. */
static struct problem decode_field(struct arena *a, struct scan *s, const struct json_field *field,
                                   int depth, char *out, bool *given)
{
    struct slice value;
    struct scan null = *s;
    *given = field->type == JSON_RAW || !scan_literal(&null, "null");
    if (*given && field->type == JSON_LIST) return decode_list(a, s, field, depth, out);
    if (!take_value(s, field->type == JSON_RAW ? JSON_DEPTH_MAX : depth, &value))
        return wrong_body();
    if (!*given) return NO_PROBLEM;
    bool truth = *value.at == 't';
    int64_t integer = 0;
    switch (field->type) {
    case JSON_STRING: return decode_string_field(a, value, field, out);
    case JSON_INTEGER:
        if (!decode_integer(value, field->min, field->max, &integer)) return wrong_field(field);
        memcpy(out + field->offset, &integer, sizeof integer);
        return NO_PROBLEM;
    case JSON_BOOL:
        if (!truth && *value.at != 'f') return wrong_field(field);
        memcpy(out + field->offset, &truth, sizeof truth);
        return NO_PROBLEM;
    case JSON_RAW:
        if ((int64_t)value.len > field->max)
            return too_large("A value of the body has more bytes than allowed.");
        memcpy(out + field->offset, &value, sizeof value);
        return NO_PROBLEM;
    default: return wrong_field(field);
    }
}

/* The row named by the valid string at `s`, which is stepped over; NULL: none. */
static struct problem take_key(struct scan *s, const struct json_field *fields,
                               const struct json_field **found)
{
    const unsigned char *first = s->at;
    bool has_nul = false;
    *found = NULL;
    if (!scan_string(s, &has_nul)) return wrong_body();
    if (has_nul) return PROBLEM(400, "invalid-request", "A field's name has \\u0000 in it.");
    struct slice quoted = { (const char *)first, (size_t)(s->at - first) };
    struct slice name = { quoted.at + 1, quoted.len - 2 };
    cJSON *decoded = NULL;
    if (memchr(name.at, '\\', name.len) != NULL) {
        decoded = cJSON_ParseWithLength(quoted.at, quoted.len);
        if (decoded == NULL) return arena_full();
        name = slice_of(cJSON_GetStringValue(decoded));
    }
    for (const struct json_field *field = fields; field->name != NULL && *found == NULL; field++) {
        assert(field - fields < FIELDS_MAX);
        if (slice_is(name, field->name)) *found = field;
    }
    cJSON_Delete(decoded);
    return NO_PROBLEM;
}

/* The valid object at `s` into `out`; `depth` levels may still be opened. */
static struct problem decode_object(struct arena *a, struct scan *s,
                                    const struct json_field *fields, int depth, char *out)
{
    uint64_t seen = 0, present = 0;
    struct slice ignored;
    if (depth == 0) return wrong_body();
    take(s, '{');
    skip_space(s);
    while (!take(s, '}')) {
        const struct json_field *field;
        struct problem p = take_key(s, fields, &field);
        if (p.status != 0) return p;
        skip_space(s);
        take(s, ':');
        skip_space(s);
        uint64_t bit = field == NULL ? 0 : UINT64_C(1) << (field - fields);
        bool given = false;
        if (s->unique && (seen & bit) != 0) return wrong_body();
        if (field == NULL || (seen & bit) != 0)
            p = take_value(s, depth - 1, &ignored) ? NO_PROBLEM : wrong_body();
        else
            p = decode_field(a, s, field, depth - 1, out, &given);
        if (p.status != 0) return p;
        seen |= bit;
        present |= given ? bit : 0;
        skip_space(s);
        take(s, ',');
        skip_space(s);
    }
    for (size_t i = 0; fields[i].name != NULL; i++) {
        if (fields[i].required && (present >> i & 1) == 0) return wrong_field(&fields[i]);
    }
    return NO_PROBLEM;
}

static struct problem decode_body(struct arena *a, struct slice body,
                                  const struct json_field *fields, bool unique, void *out)
{
    if (!valid_to_depth(body, BODY_DEPTH_MAX)) return wrong_body();
    struct scan s = scan_of(body);
    s.unique = unique;
    skip_space(&s);
    if (*s.at != '{') return PROBLEM(400, "invalid-request", "The body must be a JSON object.");
    return decode_object(a, &s, fields, JSON_DEPTH_MAX, out);
}

struct problem json_decode(struct arena *a, struct slice body, const struct json_field *fields,
                           void *out)
{
    return decode_body(a, body, fields, false, out);
}

struct problem json_decode_unique(struct arena *a, struct slice body,
                                  const struct json_field *fields, void *out)
{
    return decode_body(a, body, fields, true, out);
}

bool json_text(struct arena *a, struct slice raw, size_t min, size_t max, struct slice *out)
{
    struct scan s = scan_of(raw);
    bool has_nul = false;
    return scan_string(&s, &has_nul) && s.at == s.end && !has_nul && decode_string(a, raw, out) &&
           out->len >= min && out->len <= max;
}

void json_put_string(struct buf *b, struct slice s)
{
    static const char short_escapes[0x20] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'
    };
    size_t plain = 0;
    buf_add(b, "\"", 1);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        buf_add(b, s.at + plain, i - plain);
        plain = i + 1;
        char escape[] = { '\\', (char)c };
        if (c < 0x20 && short_escapes[c] != '\0') escape[1] = short_escapes[c];
        if (c < 0x20 && short_escapes[c] == '\0')
            buf_printf(b, "\\u%04x", c);
        else
            buf_add(b, escape, sizeof escape);
    }
    if (s.len > plain) buf_add(b, s.at + plain, s.len - plain);
    buf_add(b, "\"", 1);
}
