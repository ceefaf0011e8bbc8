#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A server that was started while another still had its runtime directory, as
# one does that is stopped gracefully and waits for its last requests, has no
# board file: with the next restart it has, when the other is gone by then.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

my $first = AMGR::Httpd->new(mpm => 'event', interval => '300ms',
                             name => 'first')->start;
ok($first->wait_ticks(1), 'the first ticks');
my $inode = (stat $first->board_file)[1];
my $second = AMGR::Httpd->new(mpm => 'event', interval => '300ms',
                              name => 'second',
                              runtime_dir => $first->runtime_file('.'));
$second->expect_log(qr/AMGR0010: /);
$second->start;
is(scalar(my @said = $second->log_lines(qr/AMGR0010: /)), 1,
   'the second says that it does without board file');

ok($second->graceful, 'a restart while the first is there');
is((stat $first->board_file)[1], $inode, 'the board is the first\'s');
is(scalar(@said = $second->log_lines(qr/AMGR0010: /)), 1,
   'nothing has changed, and is not said again');

my @wrong = grep { !/the (?:board|data) file stayed/ } $first->stop;
is("@wrong", '', 'the first ends');
ok(!-e $second->board_file, 'with its board');
my $ticks = $second->json->{manager}{ticks};
ok($second->graceful, 'a restart when it is gone');
ok(-e $second->board_file, 'the second has a board file');
ok($second->wait_ticks(2), 'which is written');
cmp_ok($second->json->{manager}{ticks}, '>', $ticks,
       'its counters have gone on');
ok(wait_until(sub { -e $second->data_file }, 30, 'it'), 'and a metrics file');
$second->stop_ok;
ok(!-e $second->board_file, 'which go with it');
done_testing();
