/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User-space stand-in for KUnit: the same test source runs here under the
 * sanitizers and in the kernel as a KUnit suite.  Prints KTAP as KUnit does.
 */
#ifndef _UNIT_KUNIT_TEST_H
#define _UNIT_KUNIT_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

struct kunit {
	int failed;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(fn)	{ .run_case = fn, .name = #fn }

#define _KUNIT_CMP(test, a, op, b) ({					\
	long long _a = (long long)(a), _b = (long long)(b);		\
	if (!(_a op _b)) {						\
		(test)->failed = 1;					\
		printf("    # %s:%d: expected %s %s %s, got %lld and %lld\n", \
		       __FILE__, __LINE__, #a, #op, #b, _a, _b);	\
	}								\
	!(test)->failed; })

#define KUNIT_EXPECT_EQ(test, a, b)	((void)_KUNIT_CMP(test, a, ==, b))
#define KUNIT_EXPECT_NE(test, a, b)	((void)_KUNIT_CMP(test, a, !=, b))
#define KUNIT_EXPECT_LE(test, a, b)	((void)_KUNIT_CMP(test, a, <=, b))
#define KUNIT_EXPECT_LT(test, a, b)	((void)_KUNIT_CMP(test, a, <, b))
#define KUNIT_EXPECT_GE(test, a, b)	((void)_KUNIT_CMP(test, a, >=, b))
#define KUNIT_EXPECT_GT(test, a, b)	((void)_KUNIT_CMP(test, a, >, b))
#define KUNIT_EXPECT_TRUE(test, a)	KUNIT_EXPECT_NE(test, !!(a), 0)
#define KUNIT_EXPECT_FALSE(test, a)	KUNIT_EXPECT_EQ(test, !!(a), 0)
#define KUNIT_EXPECT_PTR_EQ(test, a, b) KUNIT_EXPECT_EQ(test, (size_t)(a), (size_t)(b))
#define KUNIT_EXPECT_STREQ(test, a, b)	KUNIT_EXPECT_EQ(test, strcmp(a, b), 0)

/* An assertion ends the case: the source has to be fit for that, as in KUnit. */
#define KUNIT_ASSERT_TRUE(test, a) \
	do { KUNIT_EXPECT_TRUE(test, a); if ((test)->failed) return; } while (0)
#define KUNIT_ASSERT_NOT_NULL(test, p)	KUNIT_ASSERT_TRUE(test, (p) != NULL)

static inline int kunit_run_suite(const struct kunit_suite *suite)
{
	int i, n = 0, failed = 0;

	while (suite->test_cases[n].run_case)
		n++;
	printf("KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: %s\n    1..%d\n",
	       suite->name, n);
	for (i = 0; i < n; i++) {
		struct kunit test = {};

		suite->test_cases[i].run_case(&test);
		failed += test.failed;
		printf("    %s %d %s\n", test.failed ? "not ok" : "ok", i + 1,
		       suite->test_cases[i].name);
		fflush(stdout);
	}
	printf("%s 1 %s\n", failed ? "not ok" : "ok", suite->name);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define kunit_test_suite(suite) \
	int main(void) { return kunit_run_suite(&(suite)); }

#endif
