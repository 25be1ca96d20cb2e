// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the list of policies.
 */
#include "pair_test.h"
#include "policy.h"

static unsigned int pick_last(struct cats_conductor *c)
{
	return __fls(c->waiting);
}

static struct cats_conductor_ops last = {
	.name	= "kunit-last",
	.owner	= THIS_MODULE,
	.pick	= pick_last,
};

static void register__found_by_name(struct kunit *test)
{
	char names[200];

	KUNIT_EXPECT_NULL(test, cats_policy_get("kunit-last"));
	KUNIT_ASSERT_EQ(test, cats_register_conductor(&last), 0);
	KUNIT_EXPECT_PTR_EQ(test, (void *)cats_policy_get("kunit-last"), (void *)&last);
	cats_policy_put(&last);
	cats_policy_names(names, sizeof(names));
	KUNIT_EXPECT_STREQ(test, names,
			   "bounded strict wfq edf debt debt-paper debt-refcode kunit-last");
	cats_policy_names(names, 10);
	KUNIT_EXPECT_STREQ(test, names, "bounded s");
	KUNIT_EXPECT_EQ(test, cats_register_conductor(&last), -EEXIST);
	cats_unregister_conductor(&last);
	KUNIT_EXPECT_NULL(test, cats_policy_get("kunit-last"));
}

static void register__bad_ones(struct kunit *test)
{
	struct cats_conductor_ops no_pick = { .name = "kunit" };
	struct cats_conductor_ops no_name = { .pick = pick_last };
	struct cats_conductor_ops space = { .name = "a b", .pick = pick_last };
	struct cats_conductor_ops taken = { .name = "edf", .pick = pick_last };
	struct cats_conductor_ops long_name = { .pick = pick_last };

	memset(long_name.name, 'x', sizeof(long_name.name));
	KUNIT_EXPECT_EQ(test, cats_register_conductor(&no_pick), -EINVAL);
	KUNIT_EXPECT_EQ(test, cats_register_conductor(&no_name), -EINVAL);
	KUNIT_EXPECT_EQ(test, cats_register_conductor(&space), -EINVAL);
	KUNIT_EXPECT_EQ(test, cats_register_conductor(&long_name), -EINVAL);
	KUNIT_EXPECT_EQ(test, cats_register_conductor(&taken), -EEXIST);
}

static struct kunit_case policy_cases[] = {
	KUNIT_CASE(register__found_by_name),
	KUNIT_CASE(register__bad_ones),
	{}
};

static struct kunit_suite policy_suite = {
	.name = "policy",
	.suite_init = pair_suite_init,
	.suite_exit = pair_suite_exit,
	.test_cases = policy_cases,
};

kunit_test_suite(policy_suite);
