#include "detect/match.h"

#include "detect/base64.h"
#include "detect/ber.h"
#include "detect/entropy.h"
#include "detect/find.h"
#include "detect/number.h"
#include "rule/ber.h"
#include "rule/buffer.h"

#include <stdio.h>
#include <string.h>

#define FAR INT64_MAX

int64_t
match_find(const struct step *step, const struct buffer *buffer, int64_t from, int64_t to)
{
    const uint8_t *found;

    if (from < buffer->start)
        from = buffer->start;
    if (to > buffer->end)
        to = buffer->end;
    if (to - from < step->n)
        return -1;
    found = find(step, buffer->p + (from - buffer->start), (size_t)(to - from));
    return found != NULL ? buffer->start + (found - buffer->p) : -1;
}

static enum match_answer match_from(struct match *m, unsigned i, int64_t cursor);

/* Count what of [from, to) was looked at; nothing, if from lies behind. */
static void
spend(struct match *m, int64_t from, int64_t to)
{
    if (to > m->buffer->end)
        to = m->buffer->end;
    m->budget -= 16 + (to > from ? to - from : 0);
}

static enum match_answer
wait_until(struct match *m, int64_t place)
{
    if (!m->buffer->final && place < m->until)
        m->until = place;
    return MATCH_NO;
}

/* The offset or length of a step: a number, or what a step before found. */
static int64_t
distance_of(const struct match *m, int32_t number, uint8_t by)
{
    return by == 0 ? number : number_distance(m->variable[by - 1]);
}

/* Suricata: absolute, the buffer is longer than n; relative, n bytes follow at least. */
static enum match_answer
isdataat(struct match *m, unsigned i, int64_t cursor)
{
    const struct step *step = &m->rule->step[i];
    bool relative = step->flags & STEP_RELATIVE;
    int64_t offset = distance_of(m, step->offset, step->offset_by);
    int64_t needed = relative ? cursor + offset : offset + 1;
    bool there = m->buffer->end >= needed;

    if (there == ((step->flags & STEP_NEGATED) != 0))
        return there ? MATCH_NO : wait_until(m, needed);
    return match_from(m, i + 1, cursor);
}

/*
 * Not in [from, to): known once the range has come; without an end, or with endswith, what has come
 * decides.
 */
static enum match_answer
negated(struct match *m, unsigned i, int64_t cursor, int64_t from, int64_t to)
{
    const struct step *step = &m->rule->step[i];

    if (step->flags & STEP_ENDSWITH && from < m->buffer->end - step->n)
        from = m->buffer->end - step->n;
    spend(m, from, to);
    if (match_find(step, m->buffer, from, to) >= 0)
        return MATCH_NO;
    if (to != FAR && to > m->buffer->end && !m->buffer->final)
        return wait_until(m, to);
    return match_from(m, i + 1, cursor);
}

/* Places that are relative count from where it ends, or leads to. */
static bool
moves_cursor(const struct step *step)
{
    switch ((enum step_kind)step->kind) {
    case STEP_CONTENT:
    case STEP_PCRE:
        return !(step->flags & STEP_NEGATED);
    case STEP_BYTE_JUMP:
    case STEP_BYTE_EXTRACT:
    case STEP_BYTE_MATH:
    case STEP_BER:
        return true;
    case STEP_ISDATAAT:
    case STEP_BYTE_TEST:
    case STEP_BSIZE:
    case STEP_BASE64:
    case STEP_TX_NUMBER:
    case STEP_ABSENT:
    case STEP_ENTROPY:
    case STEP_ASN1:
        break;
    }
    return false;
}

/* Whether a step behind i depends on where i was found. */
static bool
is_leaned_on(const struct match *m, unsigned i)
{
    for (unsigned k = i + 1; k < m->behind; k++) {
        const struct step *step = &m->rule->step[k];

        if (step->flags & STEP_RELATIVE)
            return true;
        if (moves_cursor(step))
            return false; /* what follows leans on this one */
    }
    return false;
}

/* All places of [from, behind) were tried for step i. */
static void
note_failed(struct match *m, unsigned i, int64_t from, int64_t behind)
{
    if (from > m->failed[m->differs][i].behind || from < m->failed[m->differs][i].first)
        m->failed[m->differs][i].first = m->failed[m->differs][i].behind = from;
    if (behind > m->failed[m->differs][i].behind)
        m->failed[m->differs][i].behind = behind;
}

/* Whether these bytes, of the buffer, are others in kept. */
static bool
are_others(const struct match *m, int64_t from, int64_t to)
{
    size_t at = (size_t)(from - m->buffer->start);

    return m->kept != NULL && to > from &&
           memcmp(m->buffer->p + at, m->kept + at, (size_t)(to - from)) != 0;
}

/* ---- numbers ------------------------------------------------------------------------------- */

/* Step i found it; what is known of the steps behind was so for another value. */
static void
set_variable(struct match *m, unsigned i, uint64_t value)
{
    if (m->variable[i] == value)
        return;
    m->variable[i] = value;
    for (unsigned k = i + 1; k < m->behind; k++)
        m->failed[0][k] = m->failed[1][k] = (struct places){ 0, 0 };
}

/* behind: of the number that was read. A place before the buffer is its beginning (as in Suricata),
 * one behind its last byte is none. */
static enum match_answer
jump(struct match *m, unsigned i, int64_t behind, uint64_t value)
{
    const struct number *number = m->rule->step[i].number;
    int64_t to = (int64_t)number_scale(number, (uint64_t)number_distance(value));

    to += number->post_offset;
    if (number->from == JUMP_FROM_HERE)
        to += behind;
    else if (number->from == JUMP_FROM_END)
        to += m->buffer->end;
    if (to < 0)
        to = 0;
    if (to >= m->buffer->end)
        return number->from == JUMP_FROM_END ? MATCH_NO : wait_until(m, to + 1);
    return match_from(m, i + 1, to);
}

/* The value was read up to behind. */
static enum match_answer
use_number(struct match *m, unsigned i, int64_t cursor, int64_t behind, uint64_t value)
{
    const struct step *step = &m->rule->step[i];
    const struct number *number = step->number;
    uint64_t operand = number->operand_by == 0 ? number->operand
                                               : m->variable[number->operand_by - 1];

    if (step->kind == STEP_BYTE_JUMP)
        return jump(m, i, behind, value);
    if (step->kind == STEP_BYTE_TEST) {
        bool negated = step->flags & STEP_NEGATED;

        return number_holds(number, value, operand) != negated ? match_from(m, i + 1, cursor)
                                                               : MATCH_NO;
    }
    if (step->kind == STEP_BYTE_EXTRACT)
        value = number_scale(number, value);
    else if (!number_compute(number, value, operand, &value))
        return MATCH_NO;
    else
        value = number_masked(number, value);
    set_variable(m, i, value);
    return match_from(m, i + 1, behind);
}

static bool
takes_all_digits(const struct step *step)
{
    return step->number->n == 0 && step->number->n_by == 0 && step->kind != STEP_BYTE_JUMP;
}

/*
 * Bytes of the number at this place: as many as are said, by a variable perhaps. 0 digits: as many
 * as there are up to the end. false: more than a number has.
 */
static bool
number_length(const struct match *m, const struct step *step, int64_t at, unsigned *n)
{
    const struct number *number = step->number;
    uint64_t said = number->n_by == 0 ? number->n : m->variable[number->n_by - 1];
    int64_t left = m->buffer->end - at;

    *n = (unsigned)said;
    if (said == 0 && takes_all_digits(step))
        *n = left < 1 ? 1 : left < DIGITS_MAX ? (unsigned)left : DIGITS_MAX;
    return said <= (number->base == NUMBER_BINARY ? BINARY_MAX : DIGITS_MAX);
}

/* All its bytes have to be there, of a number in digits too. */
static enum match_answer
number_step(struct match *m, unsigned i, int64_t cursor)
{
    const struct step *step = &m->rule->step[i];
    int64_t at = distance_of(m, step->offset, step->offset_by), end;
    bool differs = m->differs;
    enum match_answer answer;
    unsigned n, used;
    uint64_t value;

    at += step->flags & STEP_RELATIVE ? cursor : 0;
    spend(m, at, at);
    if (at < m->buffer->start || m->budget < 0 || !number_length(m, step, at, &n))
        return MATCH_NO;
    end = at + n;
    if (end > m->buffer->end)
        return wait_until(m, end);
    if (!number_read(step->number, m->buffer->p + (at - m->buffer->start), n, &value, &used))
        return MATCH_NO;
    if (takes_all_digits(step) && used == n && n < DIGITS_MAX && !m->buffer->final)
        return wait_until(m, m->buffer->end + 1); /* the next byte may be a digit, too */
    if (step->kind != STEP_BYTE_MATH)
        value = number_masked(step->number, value);
    m->differs |= are_others(m, at, end);
    answer = use_number(m, i, cursor, at + used, value);
    m->differs = differs;
    return answer;
}

/* ---- contents ------------------------------------------------------------------------------ */

/* What follows step i, which is at this place. */
static enum match_answer
match_behind(struct match *m, unsigned i, int64_t at)
{
    const struct step *step = &m->rule->step[i];
    bool differs = m->differs;
    enum match_answer answer;

    if (m->kept != NULL && !differs) {
        struct buffer kept = *m->buffer;

        kept.p = m->kept;
        m->differs = match_find(step, &kept, at, at + step->n) < 0;
    }
    answer = match_from(m, i + 1, at + step->n);
    m->differs = differs;
    return answer;
}

static enum match_answer
positive(struct match *m, unsigned i, int64_t from, int64_t to)
{
    const struct step *step = &m->rule->step[i];
    bool again = is_leaned_on(m, i) || (m->kept != NULL && !m->differs);
    bool at_end = step->flags & STEP_ENDSWITH;
    int64_t first;

    if ((int)i == m->fast && from <= m->beyond - (int64_t)fast_end(step))
        from = m->beyond - (int64_t)fast_end(step) + 1;
    if (from < m->buffer->start)
        from = m->buffer->start;
    first = from;
    if (from >= m->failed[m->differs][i].first && from < m->failed[m->differs][i].behind)
        from = m->failed[m->differs][i].behind;
    for (; m->budget >= 0; from++) {
        int64_t at = match_find(step, m->buffer, from, to);

        spend(m, from, at < 0 ? to : at);
        if (at < 0) {
            note_failed(m, i, first, (to < m->buffer->end ? to : m->buffer->end) - step->n + 1);
            if (!m->buffer->final && to > m->buffer->end)
                m->waits |= UINT64_C(1) << i;
            return MATCH_NO;
        }
        from = at;
        if (at_end && at + step->n != m->buffer->end)
            continue;
        if (match_behind(m, i, at) == MATCH_YES) {
            if (m->placed != NULL)
                m->placed[i] = at;
            return MATCH_YES;
        }
        note_failed(m, i, first, at + 1);
        if (!again)
            return MATCH_NO;
    }
    return MATCH_NO;
}

/* ---- expressions --------------------------------------------------------------------------- */

/* Place of the first byte an expression is asked about; where the rest is gone, the next one. */
static int64_t
subject_begin(const struct match *m, unsigned i, int64_t cursor)
{
    bool relative = m->rule->step[i].flags & STEP_RELATIVE;

    return relative && cursor > m->buffer->start ? cursor : m->buffer->start;
}

/* A match of expression i in the bytes from begin on, that starts at *from or behind. */
static enum regex_answer
find_expression(struct match *m, unsigned i, int64_t begin, int64_t *from, int64_t *behind)
{
    const struct buffer *buffer = m->buffer;
    bool relative = m->rule->step[i].flags & STEP_RELATIVE;
    struct regex_bytes bytes = { .p = buffer->p + (begin - buffer->start),
                                 .n = (size_t)(buffer->end - begin),
                                 .begins = relative || begin == 0 };
    size_t at[2] = { 0, 0 };
    enum regex_answer answer = regex_find(m->rule->step[i].regex, m->scratch, &bytes,
                                          (size_t)(*from - begin), at);

    spend(m, *from, answer == REGEX_YES ? begin + (int64_t)at[1] : buffer->end);
    if (answer == REGEX_LIMIT) {
        m->limits++;
        m->budget = -1; /* others might take as long */
    }
    *from = begin + (int64_t)at[0];
    *behind = begin + (int64_t)at[1];
    return answer;
}

/* What follows the match [from, behind) of expression i. */
static enum match_answer
match_behind_expression(struct match *m, unsigned i, int64_t from, int64_t behind)
{
    bool differs = m->differs;
    enum match_answer answer;

    m->differs |= are_others(m, from, behind);
    answer = match_from(m, i + 1, behind);
    m->differs = differs;
    return answer;
}

static void
capture(struct match *m, uint8_t kind, struct text name, const void *p, size_t n)
{
    const struct captured what = {
        .n = (uint16_t)(n < CAPTURED_MAX ? n : CAPTURED_MAX),
        .kind = kind,
        .name_n = (uint8_t)(name.n < CAPTURED_NAME_MAX ? name.n : CAPTURED_NAME_MAX)
    };

    m->lost += !captures_put(m->caught, &what, name.p, p);
}

static struct text
text_from(const char *text)
{
    return (struct text){ text, strlen(text) };
}

/* pkt:key,pkt:value, as in Suricata: one group is the name of what the next one matched. */
static bool
is_key(const struct catches *catches, unsigned k)
{
    return k + 1 < catches->n && catches->at[k].kind == CAPTURE_PACKET &&
           catches->at[k + 1].kind == CAPTURE_PACKET && strcmp(catches->at[k].name, "key") == 0 &&
           strcmp(catches->at[k + 1].name, "value") == 0;
}

static void
catch_pair(struct match *m, const struct catches *catches, unsigned k, const uint8_t *p)
{
    size_t key[2], value[2];

    if (regex_captured(m->scratch, catches->at[k].group, key) && key[1] > key[0] &&
        regex_captured(m->scratch, catches->at[k + 1].group, value))
        capture(m, CAPTURE_PACKET, (struct text){ (const char *)p + key[0], key[1] - key[0] },
                p + value[0], value[1] - value[0]);
}

/* Expression i, found at this place before all behind it, once more: what its groups were. */
static void
catch_groups(struct match *m, unsigned i, int64_t begin, int64_t from)
{
    const struct catches *catches = m->rule->step[i].catches;
    const uint8_t *p = m->buffer->p + (begin - m->buffer->start);
    int64_t behind;
    size_t at[2];

    if (catches == NULL || m->caught == NULL ||
        find_expression(m, i, begin, &from, &behind) != REGEX_YES)
        return;
    for (unsigned k = 0; k < catches->n; k++) {
        if (is_key(catches, k))
            catch_pair(m, catches, k++, p);
        else if (regex_captured(m->scratch, catches->at[k].group, at))
            capture(m, catches->at[k].kind, text_from(catches->at[k].name), p + at[0],
                    at[1] - at[0]);
    }
}

/* Each start has one match. What has come decides about more; a 64th more of it is waited for, lest
 * single bytes make it be asked again and again. */
static enum match_answer
positive_expression(struct match *m, unsigned i, int64_t begin)
{
    const struct step *step = &m->rule->step[i];
    bool again = is_leaned_on(m, i) || (m->kept != NULL && !m->differs);
    int64_t end = m->buffer->end, behind;

    for (int64_t from = begin; from <= end && m->budget >= 0; from++) {
        enum regex_answer found = find_expression(m, i, begin, &from, &behind);

        if (found == REGEX_LIMIT)
            return MATCH_NO;
        if (found == REGEX_NO)
            return wait_until(m, end + 1 + (end - begin) / 64);
        if ((int)i != m->fast || behind > m->beyond) {
            if (match_behind_expression(m, i, from, behind) == MATCH_YES) {
                catch_groups(m, i, begin, from);
                return MATCH_YES;
            }
            if (!again)
                return MATCH_NO;
        }
        if (step->flags & STEP_STARTSWITH)
            return MATCH_NO;
    }
    return MATCH_NO;
}

/* One that took too long is neither found nor missing. */
static enum match_answer
pcre_step(struct match *m, unsigned i, int64_t cursor)
{
    const struct step *step = &m->rule->step[i];
    int64_t begin = subject_begin(m, i, cursor), from = begin, behind;

    if (step->flags & STEP_STARTSWITH && begin != (step->flags & STEP_RELATIVE ? cursor : 0))
        return MATCH_NO;
    if (!(step->flags & STEP_NEGATED))
        return positive_expression(m, i, begin);
    if (find_expression(m, i, begin, &from, &behind) != REGEX_NO)
        return MATCH_NO;
    return match_from(m, i + 1, cursor);
}

/* ---- the buffer's length, and what is in it otherwise -------------------------------------- */

static enum match_answer
length_step(struct match *m, unsigned i, int64_t cursor)
{
    if (!m->buffer->final)
        return wait_until(m, m->buffer->end + 1);
    if (!compare_holds(m->rule->step[i].compare,
                       m->buffer->end - (m->rule->step[i].flags & STEP_RELATIVE ? cursor : 0)))
        return MATCH_NO;
    return match_from(m, i + 1, cursor);
}

/* By the name that the buffer has in Suricata's records. */
static void
catch_entropy(struct match *m, unsigned buffer, double bits)
{
    char name[CAPTURED_NAME_MAX + 1];

    if (m->caught == NULL)
        return;
    snprintf(name, sizeof(name), "%s", buffer_info(buffer)->name);
    for (char *dot = name; (dot = strchr(dot, '.')) != NULL;)
        *dot = '_';
    capture(m, CAPTURE_ENTROPY, text_from(name), &bits, sizeof(bits));
}

/* Of bytes that are there: up to the end, or as many as are asked for. */
static enum match_answer
entropy_step(struct match *m, unsigned i, int64_t cursor)
{
    const struct step *step = &m->rule->step[i];
    int64_t at = step->offset, end = step->length > 0 ? at + step->length : m->buffer->end;
    double bits;

    if (!m->buffer->final && (step->length == 0 || end > m->buffer->end))
        return wait_until(m, step->length == 0 ? m->buffer->end + 1 : end);
    if (end > m->buffer->end)
        end = m->buffer->end;
    if (at < m->buffer->start || at >= end)
        return MATCH_NO;
    spend(m, at, end);
    bits = entropy_of(m->buffer->p + (at - m->buffer->start), (size_t)(end - at));
    if (!compare_holds(step->compare, entropy_rounded(bits)) ||
        match_from(m, i + 1, cursor) != MATCH_YES)
        return MATCH_NO;
    catch_entropy(m, step->buffer, bits);
    return MATCH_YES;
}

/*
 * What is decoded is there for the steps of BUFFER_BASE64, which come behind those of this buffer.
 */
static enum match_answer
base64_step(struct match *m, unsigned i, int64_t cursor)
{
    const struct step *step = &m->rule->step[i];
    int64_t at = step->offset + (step->flags & STEP_RELATIVE ? cursor : 0);
    int64_t end = step->length > 0 ? at + step->length : m->buffer->end;

    if (at < m->buffer->start || at >= m->buffer->end || m->decoded == NULL)
        return wait_until(m, at + 1);
    if (end > m->buffer->end) {
        wait_until(m, end);
        end = m->buffer->end;
    }
    spend(m, at, end);
    base64_decode(m->decoded, m->buffer->p + (at - m->buffer->start), (size_t)(end - at));
    return m->decoded->n > 0 ? match_from(m, i + 1, cursor) : MATCH_NO;
}

/* Elements from here on: what depends on more bytes waits for them. */
static enum match_answer
asn1_step(struct match *m, unsigned i, int64_t cursor)
{
    const struct step *step = &m->rule->step[i];
    const struct ber_ask ask = { .bit_string = step->index & ASN1_BIT_STRING,
                                 .real = step->index & ASN1_REAL,
                                 .longer = step->index & ASN1_LENGTH ? (uint32_t)step->length
                                                                     : UINT32_MAX };
    const int64_t at = step->offset + (step->flags & STEP_RELATIVE ? cursor : 0);
    enum ber_answer answer;
    uint64_t needed;

    if (at < m->buffer->start)
        return MATCH_NO;
    if (at >= m->buffer->end)
        return wait_until(m, at + 1);
    spend(m, at, at + BER_ELEMENTS_MAX);
    answer = ber_look(m->buffer->p + (at - m->buffer->start), (size_t)(m->buffer->end - at), &ask,
                      &needed);
    if (answer == BER_CUT)
        return wait_until(m, at + (int64_t)needed);
    return answer == BER_YES ? match_from(m, i + 1, cursor) : MATCH_NO;
}

/* An element of this type is at the cursor, which goes to its content or behind it. */
static enum match_answer
ber_step(struct match *m, unsigned i, int64_t cursor)
{
    const struct step *step = &m->rule->step[i];
    const bool differs = m->differs;
    struct ber_element e;
    enum ber_answer answer;
    enum match_answer then;

    if (cursor < m->buffer->start)
        return MATCH_NO;
    if (cursor >= m->buffer->end)
        return wait_until(m, cursor + 1);
    spend(m, cursor, cursor);
    answer = ber_read(m->buffer->p + (cursor - m->buffer->start), (size_t)(m->buffer->end - cursor),
                      &e);
    if (answer == BER_CUT)
        return wait_until(m, m->buffer->end + 1);
    if (answer == BER_NO)
        return MATCH_NO;
    if (e.tag != step->offset && step->index == BER_SKIP_OPTIONAL)
        return match_from(m, i + 1, cursor);
    if (e.tag != step->offset || (step->index != BER_DATA && (e.endless || e.length > INT32_MAX)))
        return MATCH_NO;
    m->differs |= are_others(m, cursor, cursor + (int64_t)e.header);
    cursor += (int64_t)(e.header + (step->index == BER_DATA ? 0 : e.length));
    then = match_from(m, i + 1, cursor);
    m->differs = differs;
    return then;
}

/* ---- all of them --------------------------------------------------------------------------- */

/* Steps i and later; cursor: where the last one that was found ends, or led to. At most STEPS_MAX
 * deep. */
static enum match_answer
match_from(struct match *m, unsigned i, int64_t cursor)
{
    const struct step *step = &m->rule->step[i];
    int64_t from, to = FAR;

    if (i == m->behind)
        return m->kept == NULL || m->differs ? MATCH_YES : MATCH_NO;
    if (step->kind == STEP_ISDATAAT)
        return isdataat(m, i, cursor);
    if (step->kind == STEP_PCRE)
        return pcre_step(m, i, cursor);
    if (step->kind == STEP_BSIZE)
        return length_step(m, i, cursor);
    if (step->kind == STEP_BASE64)
        return base64_step(m, i, cursor);
    if (step->kind == STEP_ENTROPY)
        return entropy_step(m, i, cursor);
    if (step->kind == STEP_ASN1)
        return asn1_step(m, i, cursor);
    if (step->kind == STEP_BER)
        return ber_step(m, i, cursor);
    if (step->kind == STEP_ABSENT && !(step->flags & STEP_OR_ELSE))
        return MATCH_NO;
    if (step->kind == STEP_TX_NUMBER || step->kind == STEP_ABSENT)
        return match_from(m, i + 1, cursor);
    if (step->kind != STEP_CONTENT)
        return number_step(m, i, cursor);
    from = distance_of(m, step->offset, step->offset_by);
    from += step->flags & STEP_RELATIVE ? cursor : 0;
    if (step->flags & (STEP_DEPTH | STEP_WITHIN))
        to = from + distance_of(m, step->length, step->length_by);
    if (from < 0)
        from = 0;
    return step->flags & STEP_NEGATED ? negated(m, i, cursor, from, to) : positive(m, i, from, to);
}

enum match_answer
match_rule(struct match *m)
{
    struct places failed[2][STEPS_MAX];
    uint64_t variable[STEPS_MAX] = { 0 };
    enum match_answer answer;
    bool lent = m->variable != NULL;

    m->waits = 0;
    m->until = FAR;
    m->budget = MATCH_BUDGET;
    for (unsigned i = m->first; i < m->behind; i++) {
        for (int differs = 0; differs < 2; differs++)
            failed[differs][i] = (struct places){ 0, 0 };
    }
    m->failed = failed;
    if (!lent)
        m->variable = variable;
    answer = match_from(m, m->first, 0);
    m->failed = NULL;
    if (!lent)
        m->variable = NULL;
    if (m->budget < 0)
        return answer;
    /* The prefilter looks out for the fast pattern, but not for what a long one has behind it. */
    if (m->fast >= 0 && fast_end(&m->rule->step[m->fast]) == m->rule->step[m->fast].n)
        m->waits &= ~(UINT64_C(1) << m->fast);
    return answer == MATCH_NO && (m->waits != 0 || m->until != FAR) ? MATCH_WAIT : answer;
}
