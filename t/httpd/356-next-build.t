#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Another build of the module takes over at a graceful restart, which keeps its
# records in another way (t/lib/next_build.pl), and then the first one again:
# what one has noted of its server the other goes on with.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Control qw(retire_one);
use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use Apache::Test qw(-withtestmore);
use File::Copy ();

use constant {
    SOON => 30,
    # Each longer than a tick, and the first by far the shorter.
    MAX_TIME_SEC       => 1,
    MAX_GENERATION_SEC => 6,
};

my $s = AMGR::Httpd->new(mpm => 'event', interval => '200ms');
AMGR::Managed::prepare($s);
my $built = AMGR::Httpd::build_dir();
my %file = (this => AMGR::Httpd::module_file(),
            next => "$built/next/mod_apache_manager.so");
for my $name (keys %file) {
    my $copy = $s->path("conf/$name.so");
    File::Copy::copy($file{$name}, $copy) or die "$file{$name}: $!\n";
    chmod 0755, $copy or die "$copy: $!\n";
    $file{$name} = $copy;
}
my ($this, $next) = @file{qw(this next)};

sub set_build {
    my ($build) = @_;
    $s->{module} = $build;
    $s->set_config("Timeout 300\nManagerMinAge 100ms\nManagerStormLimit Off\n"
                   . "ManagerSocket control.sock\nManagerMaxTime "
                   . MAX_TIME_SEC . "s\nManagerMaxGenerationAge "
                   . MAX_GENERATION_SEC . "s\n"
                   . AMGR::Managed::section($s, 'web'));
    return;
}

sub is_loaded {
    my ($build) = @_;
    my %loaded = map { $_ => 1 }
        AMGR::Httpd::slurp('/proc/' . $s->parent_pid . '/maps')
        =~ m{(\S+/conf/(?:this|next)\.so)$}gm;
    return is(join(' ', sort keys %loaded), $build, "$build is loaded");
}

# One that the server's time is not for, since the client has to send more; and
# the worker that has it.
sub hold {
    my $request = $s->hold_request('/held.html');
    my $holder = wait_until(sub {
        my ($found) = grep { grep { ($_->{request} // '') =~ m{/held} }
                             @{ $_->{slots} } } @{ $s->json->{processes} };
        return $found && $found->{pid};
    }, SOON, 'the request');
    ok($holder, 'a request is held');
    return ($request, $holder);
}

sub started {
    my ($time) = $s->get('/manager-status/metrics')->content
        =~ /^apache_manager_server_start_time_seconds (\S+)$/m;
    return $time // die "no time of the start\n";
}

sub upgrade {
    my ($build, $web) = @_;
    my $name = $build eq $this ? 'back' : 'next';
    my ($request, $holder) = hold();
    ok($s->wait_ticks(2), "$name: it is seen");
    my $before = $s->json;
    my $inode = (stat $s->board_file)[1];
    my $started = started();
    my $ticker = $s->ticker_pid;
    my $supervisor = AMGR::Managed::supervisor($s);
    set_build($build);
    $s->mark_log;
    ok($s->graceful, "$name: graceful restart");
    is_loaded($build);
    my @told = map { /(these begin anew: .*)/ } $s->log_lines(qr/AMGR0009: /);
    is(join('|', @told),
       'these begin anew: notes on the time limits of requests',
       "$name: what begins anew is told");
    ok($s->wait_ticks(2), "$name: it ticks");
    is((stat $s->board_file)[1], $inode, "$name: the board is the same");

    my $json = $s->json;
    is($json->{manager}{killed_idle}, $before->{manager}{killed_idle},
       "$name: what was counted stays");
    is(scalar @{ $json->{kills} }, scalar @{ $before->{kills} },
       "$name: so do the records");
    cmp_ok($json->{manager}{ticks}, '>', $before->{manager}{ticks},
           "$name: and ticks go on");
    is(started(), $started, "$name: the server was started when it was");
    my @tickers = $s->ticker_pid;
    is(scalar @tickers, 1, "$name: there is one ticker");
    isnt($tickers[0], $ticker, "$name: of this build");
    is(join(' ', AMGR::Managed::supervisors($s)), $supervisor,
       "$name: there is one supervisor, that of before");
    is(AMGR::Managed::wait_for($s, 'web', 'READY')->{pid}, $web->{pid},
       "$name: and its process lives on");

    ok(wait_until(sub { !AMGR::Httpd::is_alive($holder) }, SOON,
                  "$name: the end of $holder"),
       "$name: a worker of before is retired");
    my $record;
    wait_until(sub {
        ($record) = grep { $_->{pid} == $holder && $_->{outcome} eq 'gone' }
            @{ $s->json->{kills} };
    }, SOON, "$name: its record");
    is($record->{reason}, 'generation',
       "$name: for its generation, not for a time that was not for it");
    ok($request->wait(SOON), "$name: its request ends");
    ok(retire_one($s), "$name: a worker of now is retired");
    return;
}

set_build($this);
$s->write('htdocs/held.html', "held\n");
$s->start;
is_loaded($this);
my $web = AMGR::Managed::wait_for($s, 'web', 'READY');
ok(retire_one($s), 'a worker is retired');
upgrade($next, $web);
upgrade($this, $web);
ok(!-e AMGR::Managed::state_dir($s) . '/web.double',
   'never two of one process');
is(join(' ', AMGR::Managed::noted($s, 'ended')), '', 'which was never ended');

# And the next restart is one like any other.
$s->mark_log;
ok($s->graceful, 'a restart after that');
is(scalar(my @anew = $s->log_lines(qr/begin anew/)), 0, 'nothing begins anew');
$s->stop_ok;
done_testing();
