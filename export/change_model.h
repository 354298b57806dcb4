/* change_model: one time series' ChangeFinder (Takeuchi & Yamanishi, "A unifying framework for detecting outliers and change
 * points from time series", IEEE TKDE 18(4), 2006), with the settings that NICT published for its darknet.
 *
 * Two stages of SDAR, an autoregressive model that forgets. With each value x the stage's mean, autocovariances (lags 0, 1, 2)
 * and prediction error move by a rate r towards what x says; the AR coefficients solve the Yule-Walker equations; the loss of
 * x is the negative log of its Gaussian density (log loss). Stage 1 runs over the values, its losses are averaged over a
 * window, stage 2 runs over the averages, its losses, averaged over a second window, are the score.
 *
 * What the paper leaves open, or where this deviates, each so that there is one answer:
 *   - a loss is taken under the model that has learned x, as the public implementation that NICT's published code calls does it (the paper:
 *     before). One outlier's loss so stays near 1 / 2r, and does not blind stage 2 for weeks;
 *   - r is 1/n for the n-th value while that is more than the forgetting rate: the model begins as the plain average of what
 *     there is, not with random numbers;
 *   - stage 2 learns once the first window is full; there is a score once the second one is;
 *   - the error's variance never counts as less than a floor: in stage 1 the caller's, in stage 2 1e-4;
 *   - where a series with the coefficients that solve the equations would not stay where it is (the first few values may say so), they are rho, at
 *     most 1 either way, and 0. One such guess else is an error that hides all others for weeks.
 *
 * Models that learn at the same times share a struct change_pace, which counts. Plain arithmetic and a logarithm of our
 * own, compiled without contraction: the same scores on every machine. No memory, no clock; any thread.
 */
#ifndef EXPORT_CHANGE_MODEL_H
#define EXPORT_CHANGE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* NICT's settings (Dark-TRACER, IEEE Access 2022, and its code): order 2, forgetting 0.005, windows of 10 and 5. */
enum { CHANGE_ORDER = 2, CHANGE_FIRST = 10, CHANGE_SECOND = 5 };
#define CHANGE_FORGETTING 0.005

struct change_sdar {
    double mean, cov[CHANGE_ORDER + 1], var, last[CHANGE_ORDER];
};

struct change_model {
    struct change_sdar stage[2];
    double first[CHANGE_FIRST], second[CHANGE_SECOND]; /* the windows, as rings */
};

/* How far models of one series of times are. Begins as all zero. */
struct change_pace {
    uint64_t learned[2]; /* values that each stage has learned */
    uint64_t filled;     /* values since the windows began anew */
};

struct change_verdict {
    bool has_score;
    double score;
    double expected;  /* x as the model expects it, which has learned x */
    double deviation; /* the usual error of stage 1, x left out */
};

/* A value. The model begins as all zero. `floor` > 0: least variance of stage 1. *pace is that before the value. */
void change_model_learn(struct change_model *m, const struct change_pace *pace, double floor,
                        double x, struct change_verdict *verdict);

/* Behind all models' value. */
void change_pace_move(struct change_pace *pace);

/* The time series has a hole: windows and lags begin anew with the next value, what was learned of its level stays. */
void change_pace_break(struct change_pace *pace);

/* Natural logarithm of x > 0 (normal numbers) and power of e (beyond 700 either way: of 700); within 4 units of the last
 * place. */
double change_log(double x);
double change_exp(double x);

#endif
