#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A server that is up for long has this module from a graceful restart on, and
# has not ticked yet: page, status.json and the tool wait for that, and call
# nothing stale.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use POSIX ();

# Three ticks and some grace have gone by; the parent ticks every ten seconds of
# its life, so that there are some left until the next.
use constant { STALE => 43, LONG => 120 };

my $s = AMGR::Httpd->new(mpm => 'event', name => 'first-tick');
$s->{manager} = $s->{location} = 0;
$s->start;
ok(wait_until(sub { uptime() > STALE }, LONG, 'its uptime'),
   'the server is up for long');
$s->{manager} = $s->{location} = 1;
$s->write_config;
$s->graceful;
my $json = $s->json;
is($json->{tick_time}, undef, 'no tick since it was restarted');
is($json->{manager}{health_word}, 'waiting', 'status.json waits for one');
like($s->get('/manager-status')->content,
     qr{<strong>Waiting\.</strong> The first tick has not come yet},
     'so does the page');
for my $how (['by the board', {}], ['over HTTP', { as_user => 65534 }]) {
    my ($what, $options) = @$how;
    my $r = cli($options, '--once', '--url', $s->url('/manager-status'));
    like($r->{out}, qr/ waiting /, "and the tool $what");
}
ok(wait_until(sub { defined $s->json->{tick_time} }, LONG, 'a tick'),
   'it ticks again');
$s->stop_ok;
done_testing();

# Of the server's parent, whom nobody else can be asked about yet.
sub uptime {
    my ($since_boot) = split ' ', AMGR::Httpd::slurp('/proc/uptime');
    my $start_ticks = (AMGR::Httpd::stat_fields($s->{pid}))[19];
    return $since_boot - $start_ticks / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}
