#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Killing by the tool itself where a worker is a thread of a process.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Kill;
use Apache::Test qw(-withtestmore);

my $s = AMGR::Case::Kill::server('event', 'alone', '');
my ($env, $lines) = AMGR::Case::Kill::syslog($s);
AMGR::Case::Kill::old_enough($s);
AMGR::Case::Kill::without_a_kill($s);
AMGR::Case::Kill::as_user($s);
AMGR::Case::Kill::max_kills($s);
AMGR::Case::Kill::idle($s, $env);
AMGR::Case::Kill::threaded($s, $env);
AMGR::Case::Kill::wsgi($s, $env);
AMGR::Case::Kill::counted('by itself', [$lines->()], active => 1, idle => 1,
                          wsgi => 1);
$s->stop_ok;
AMGR::Case::Kill::of_a_stopped_server($s);
done_testing();
