#include "export/change_model.h"

#include <math.h>
#include <string.h>

static const double LN2_HIGH = 6.93147180369123816490e-01, LN2_LOW = 1.90821492927058770002e-10;
static const double TWO_PI = 6.283185307179586;
static const double FLOOR_SECOND = 1e-4;
static const double STAYS =
    1 - 1e-6; /* below 1: few values may give 1 itself, give or take a rounding */

double change_log(double x)
{
    uint64_t bits;
    int exponent;
    double s, square, sum = 0;
    memcpy(&bits, &x, sizeof bits);
    exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    bits = (bits & UINT64_C(0xfffffffffffff)) | UINT64_C(0x3ff) << 52;
    memcpy(&x, &bits, sizeof x);
    if (x > 1.4142135623730951) {
        x *= 0.5;
        exponent++;
    }
    /* log x = 2 artanh s; |s| < 0.172, so the term of s^21 is below 2^-57 of the sum. */
    s = (x - 1) / (x + 1);
    square = s * s;
    for (int n = 21; n >= 3; n -= 2)
        sum = (sum + 1.0 / n) * square;
    return exponent * LN2_HIGH + (2 * s * sum + exponent * LN2_LOW + 2 * s);
}

double change_exp(double x)
{
    double whole, sum = 1, power;
    uint64_t bits;
    x = x > 700 ? 700 : x < -700 ? -700 : x;
    whole = floor(x / 0.6931471805599453 + 0.5);
    bits = (uint64_t)((int64_t)whole + 1023) << 52;
    x = (x - whole * LN2_HIGH) - whole * LN2_LOW;
    for (int n = 16; n >= 1; n--) /* |x| < 0.347: the term of x^17 is below 2^-70 */
        sum = 1 + sum * x / n;
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}

/* Yule-Walker's, of order 2; of order 1 where a series of these would run away. */
static void coefficients(const double *cov, double *a)
{
    double rho1 = cov[0] > 0 ? cov[1] / cov[0] : 0, rho2 = cov[0] > 0 ? cov[2] / cov[0] : 0;
    double rest = 1 - rho1 * rho1, one, two;
    a[0] = rho1 > 1 ? 1 : rho1 < -1 ? -1 : rho1;
    a[1] = 0;
    if (rest < 1e-9)
        return;
    one = rho1 * (1 - rho2) / rest;
    two = (rho2 - rho1 * rho1) / rest;
    if (two > -STAYS && two < STAYS - fabs(one)) {
        a[0] = one;
        a[1] = two;
    }
}

/* Returns the loss. `fresh`: no lag is known. */
static double sdar_learn(struct change_sdar *s, uint64_t learned, bool fresh, double floor,
                         double x, double *expected)
{
    double rate = 1.0 / (double)(learned + 1), d[CHANGE_ORDER + 1], a[CHANGE_ORDER], error, var;
    if (rate < CHANGE_FORGETTING)
        rate = CHANGE_FORGETTING;
    if (fresh)
        s->last[0] = s->last[1] = x;
    s->mean = (1 - rate) * s->mean + rate * x;
    d[0] = x - s->mean;
    d[1] = s->last[0] - s->mean;
    d[2] = s->last[1] - s->mean;
    for (int i = 0; i <= CHANGE_ORDER; i++)
        s->cov[i] = (1 - rate) * s->cov[i] + rate * (d[0] * d[i]);
    coefficients(s->cov, a);
    *expected = s->mean + (a[0] * d[1] + a[1] * d[2]);
    error = x - *expected;
    s->var = (1 - rate) * s->var + rate * (error * error);
    s->last[1] = s->last[0];
    s->last[0] = x;
    var = s->var > floor ? s->var : floor;
    return 0.5 * change_log(TWO_PI * var) + error * error / (2 * var);
}

static double average(const double *values, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += values[i];
    return sum / count;
}

void change_model_learn(struct change_model *m, const struct change_pace *pace, double floor,
                        double x, struct change_verdict *verdict)
{
    double var = m->stage[0].var > floor ? m->stage[0].var : floor, loss, unused;
    uint64_t second; /* values of stage 2 since the windows began anew */
    verdict->has_score = false;
    verdict->score = 0;
    verdict->deviation = sqrt(var);
    m->first[pace->filled % CHANGE_FIRST] =
        sdar_learn(&m->stage[0], pace->learned[0], pace->filled == 0, floor, x, &verdict->expected);
    if (pace->filled + 1 < CHANGE_FIRST)
        return;
    second = pace->filled + 1 - CHANGE_FIRST;
    loss = sdar_learn(&m->stage[1], pace->learned[1], second == 0, FLOOR_SECOND,
                      average(m->first, CHANGE_FIRST), &unused);
    m->second[second % CHANGE_SECOND] = loss;
    if (second + 1 < CHANGE_SECOND)
        return;
    verdict->has_score = true;
    verdict->score = average(m->second, CHANGE_SECOND);
}

void change_pace_move(struct change_pace *pace)
{
    pace->learned[0]++;
    pace->filled++;
    pace->learned[1] += pace->filled >= CHANGE_FIRST;
}

void change_pace_break(struct change_pace *pace) { pace->filled = 0; }
