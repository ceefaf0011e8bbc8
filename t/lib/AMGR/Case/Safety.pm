# SPDX-License-Identifier: Apache-2.0
#
# What holds retiring back: age, strikes, shares, the last that serves, storms,
# limits that no worker can meet.
package AMGR::Case::Safety;

use strict;
use warnings;

use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use POSIX ();
use Time::HiRes qw(time);

use constant INTERVAL => '300ms';

my %few = (
    prefork => "StartServers 4\nMinSpareServers 4\nMaxSpareServers 8\n"
             . "ServerLimit 12\nMaxRequestWorkers 10\n",
    threads => "StartServers 4\nThreadsPerChild 2\nThreadLimit 2\n"
             . "MinSpareThreads 8\nMaxSpareThreads 12\nServerLimit 12\n"
             . "MaxRequestWorkers 20\n",
);
my %one = (
    prefork => "StartServers 1\nMinSpareServers 1\nMaxSpareServers 1\n"
             . "ServerLimit 1\nMaxRequestWorkers 1\n",
    threads => "StartServers 1\nThreadsPerChild 2\nThreadLimit 2\n"
             . "MinSpareThreads 1\nMaxSpareThreads 2\nServerLimit 1\n"
             . "MaxRequestWorkers 2\n",
);

sub run {
    my ($mpm) = @_;
    my $kind = $mpm eq 'prefork' ? 'prefork' : 'threads';
    # These wait for nothing but time.
    my @young = min_age_begin($mpm);
    my @small = inert_begin($mpm);
    strikes($mpm);
    max_retiring($mpm, $few{$kind});
    min_serving($mpm, $one{$kind});
    storm($mpm, $few{$kind});
    min_age($mpm, @young);
    inert($mpm, @small);
    done_testing();
    return;
}

sub server {
    my ($mpm, $limits, %more) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => INTERVAL, %more,
                             modules => ['wsgi']);
    my $script = $s->wsgi_script;
    $s->{config} .= "WSGIScriptAlias /app $script\n$limits\n";
    return $s->start;
}

sub suppressed {
    my ($s, $cause) = @_;
    return $s->json->{manager}{suppressed}{$cause};
}

sub min_age_begin {
    my ($mpm) = @_;
    my $s = server($mpm, "ManagerMaxMemoryIdle 150M\nManagerMinAge 4s",
                   name => "$mpm-age");
    my $pid = AMGR::Case::Retire::leak($s, 200);
    return ($s, $pid, begun($pid));
}

sub min_age {
    my ($mpm, $s, $pid, $begun) = @_;
    ok(wait_until(sub { suppressed($s, 'min_age') == 1 }, 30, 'min_age'),
       "$mpm: too young, and counted once");
    AMGR::Case::Retire::gone($s, $pid, 30, "$mpm: it is gone at its age");
    my $r = AMGR::Case::Retire::record($s, $pid);
    cmp_ok($r->{time} - $begun, '>', 3.9, 'not before');
    is(suppressed($s, 'min_age'), 1, 'counted once, not at every tick');
    $s->stop_ok;
    return;
}

# When a process was forked, in seconds since the epoch.
sub begun {
    my ($pid) = @_;
    my ($uptime) = AMGR::Httpd::slurp('/proc/uptime') =~ /^([\d.]+)/;
    my @stat = AMGR::Httpd::stat_fields($pid) or die "$pid is gone\n";
    return time - $uptime + $stat[19] / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

sub strikes {
    my ($mpm) = @_;
    my $s = server($mpm, "ManagerMaxMemoryIdle 150M\nManagerMinAge 200ms\n"
                   . 'ManagerStrikes 5', name => "$mpm-strikes");
    AMGR::Case::Retire::grow_up($s);
    my $ticks = $s->json->{manager}{ticks};
    my $pid = AMGR::Case::Retire::leak($s, 200);
    AMGR::Case::Retire::gone($s, $pid, 30, "$mpm: gone after some strikes");
    my $r = AMGR::Case::Retire::record($s, $pid);
    cmp_ok($s->json->{manager}{ticks} - $ticks, '>=', 5, 'five ticks at least');
    is(suppressed($s, 'strikes'), 1, 'counted once');
    $s->stop_ok;
    return;
}

# Make these leak, all at once; returns their pids.
sub leak_many {
    my ($s, $count, $mb) = @_;
    my %leaking;
    my $deadline = time + 20;
    while (keys %leaking < $count && time < $deadline) {
        # Those in flight keep their process busy, so the next one is another.
        my @held = map { $s->start_request("/app/leak?mb=$mb&s=0.3") }
            1 .. $count - keys %leaking;
        $_->wait(30) for @held;
        for my $request (@held) {
            my $pid = AMGR::Case::Retire::pid_of($request->body // '');
            $leaking{$pid} = 1 if $pid;
        }
    }
    return sort { $a <=> $b } keys %leaking;
}

# They become fat before they are old enough; then one goes at a time.
sub max_retiring {
    my ($mpm, $sizes) = @_;
    my $s = server($mpm, "ManagerMaxMemoryIdle 150M\nManagerMinAge 5s\n"
                   . "ManagerMaxRetiring 1\nManagerStormLimit Off\n"
                   . 'ManagerMinServing 0', name => "$mpm-share",
                   mpm_config => $sizes);
    my @fat = leak_many($s, 3, 200);
    cmp_ok(scalar @fat, '>=', 2, "$mpm: several fat workers");
    ok(wait_until(sub { !grep { AMGR::Httpd::is_alive($_) } @fat }, 30,
                  'the end of all of them'), "$mpm: all are retired");
    ok(wait_until(sub {
        my @done = grep { $_->{outcome} eq 'gone' } @{ $s->json->{kills} };
        @done >= @fat;
    }, 30, 'records'), 'all are recorded');
    my @times = sort { $a <=> $b } map { $_->{time} } @{ $s->json->{kills} };
    my @gaps = map { $times[$_] - $times[$_ - 1] } 1 .. $#times;
    is(scalar(grep { $_ < 0.2 } @gaps), 0, "$mpm: one at a time")
        or diag("@gaps");
    cmp_ok(suppressed($s, 'max_retiring'), '>=', 1, 'the others waited');
    $s->stop_ok;
    return;
}

# The only process, and no free slot for another: it stays.
sub min_serving {
    my ($mpm, $sizes) = @_;
    my $s = server($mpm, "ManagerMaxMemoryIdle 150M\nManagerMinAge 200ms\n"
                   . 'ManagerMinServing 1', name => "$mpm-last",
                   mpm_config => $sizes);
    AMGR::Case::Retire::grow_up($s);
    my $pid = AMGR::Case::Retire::leak($s, 200);
    ok(wait_until(sub { suppressed($s, 'min_serving') == 1 }, 30,
                  'min_serving'), "$mpm: the last that serves is left alone");
    $s->wait_ticks(5);
    AMGR::Case::Retire::all_live("$mpm: it lives", $pid);
    is($s->json->{manager}{killed_idle}, 0, 'nobody was killed');
    is(suppressed($s, 'min_serving'), 1, 'counted once');
    $s->stop_ok;
    return;
}

# Every worker outgrows the limit as soon as it serves, so there are always
# some over it: after some retirements that did not help the breaker opens.
# Two seconds give the MPM the time to replace each of them.
sub storm {
    my ($mpm, $sizes) = @_;
    my $s = server($mpm, "ManagerMaxMemoryIdle 150M\nManagerMinAge 1s\n"
                   . "ManagerStormLimit 2 1m\nManagerMaxRetiring 1",
                   interval => '2s', name => "$mpm-storm",
                   mpm_config => $sizes);
    $s->wait_ticks(1);
    my $open = wait_until(sub {
        leak_many($s, 4, 160);
        suppressed($s, 'storm') > 0;
    }, 60, 'the breaker');
    ok($open, "$mpm: the breaker opens");
    my $killed = $s->json->{manager}{killed_idle};
    cmp_ok($killed, '>=', 2, 'after its count');
    my @lines = $s->log_lines(qr/AMGR0005: /);
    is(scalar @lines, 1, "$mpm: announced once") or diag(join "\n", @lines);
    $s->wait_ticks(3);
    is($s->json->{manager}{killed_idle}, $killed, 'and nobody else is killed');
    is($s->get('/')->code, 200, 'it serves');
    # Some MPMs find so many ends by signal remarkable.
    $s->expect_log(qr/AMGR0005: /, qr/AH1039[23]: children are killed/);
    $s->stop_ok;
    return;
}

# A limit below the size of a fresh child does nothing, and says so once.
sub inert_begin {
    my ($mpm) = @_;
    my $s = server($mpm, "ManagerMaxMemoryIdle 1M\nManagerMaxMemoryActive 1M\n"
                   . 'ManagerMinAge 1s', name => "$mpm-inert");
    return ($s, $s->children);
}

sub inert {
    my ($mpm, $s, @before) = @_;
    # How big a fresh one is shows before it has served anything; then they
    # come of age.
    ok($s->wait_ticks(8), "$mpm: eight ticks");
    AMGR::Case::Retire::all_live("$mpm: a limit below a fresh child is inert",
                                 @before);
    my $json = $s->json;
    is($json->{manager}{killed_idle} + $json->{manager}{killed_active}, 0,
       'nobody was killed');
    ok($json->{limits}{inert}, 'status.json says so');
    my @lines = $s->log_lines(qr/AMGR0004: /);
    cmp_ok(scalar @lines, '>=', 1, "$mpm: the log says so");
    cmp_ok(scalar @lines, '<=', 2, 'once for each limit')
        or diag(join "\n", @lines);
    like($s->get('/manager-status')->content, qr/inert|below/i,
         'the page says so');
    $s->expect_log(qr/AMGR0004: /);
    $s->stop_ok;
    return;
}

1;
