#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What was true on a real server: rates, busy workers, retirements and growth
# are in the history, which outlives restarts and the process that ticks.  The
# MPM makes no difference to that.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use AMGR::Schema qw(schema_errors);
use Apache::Test qw(-withtestmore);
use List::Util qw(max sum0);

my $s = AMGR::Httpd->new(mpm => 'event', interval => '200ms',
                         modules => ['wsgi'], name => 'history',
                         mpm_config => <<'END');
StartServers 1
ServerLimit 4
ThreadsPerChild 4
ThreadLimit 4
MinSpareThreads 1
MaxSpareThreads 8
MaxRequestWorkers 16
END
my $script = $s->wsgi_script;
# A ticker is ended here, which the log announces.
$s->expect_log(qr/AMGR0011: /);
$s->{config} .= <<"END";
ManagerMinAge 1s
ManagerMaxMemoryActive 900M
ManagerMaxMemoryIdle 900M
WSGIScriptAlias /app $script
END
$s->start;

sub history { return $_[0]->{history} }

# The worker that has the most memory.
sub largest {
    my ($json) = @_;
    my ($found) = sort { $b->{rss_bytes} <=> $a->{rss_bytes} }
        grep { $_->{kind} eq 'native' && defined $_->{rss_bytes} }
        @{ $json->{processes} };
    return $found // {};
}

sub is_sound {
    my ($what, $path) = @_;
    my $answer = $s->get($path // '/manager-status/status.json');
    is_deeply([schema_errors($answer->content)], [], "$what: the schema");
    my $json = $s->json($path);
    my $history = history($json);
    my $count = @{ $history->{time} };
    cmp_ok($count, '>', 0, "$what: there are samples");
    is(join(' ', grep { @{ $history->{$_} } != $count }
        qw(busy busy_peak idle requests_per_second bytes_per_second retired
           workers_bytes)), '', "$what: all columns are equally long");
    is(join(' ', map { $_->{name} } grep {
        @{ $_->{sum_bytes} } != $count || @{ $_->{largest_bytes} } != $count
    } @{ $history->{groups} }), '', "$what: those of groups too");
    return $json;
}

# ---- growth and load ------------------------------------------------------

my $busy = $s->start_request('/app/sleep?s=2');
my ($first, $later);
ok(wait_until(sub {
    $s->get('/app/leak?mb=1');
    $first = largest($s->json);
    ($first->{growth_bytes_per_hour} // 0) > 0
        && defined $first->{limit_in_seconds};
}, 30, 'growth'), 'a leaking worker grows');
cmp_ok($first->{limit_in_seconds}, '<', 3600, 'and comes to its limit');
ok(wait_until(sub {
    $s->get('/app/leak?mb=1');
    $later = largest($s->json);
    ($later->{limit_in_seconds} // 9e9) < $first->{limit_in_seconds};
}, 30, 'less time'), 'which is nearer a little later');
is($later->{pid}, $first->{pid}, 'of one and the same');
my $json = is_sound('under load');
my $history = history($json);
is($history->{span}, 'hour', 'the hour by default');
cmp_ok(max(@{ $history->{busy_peak} }), '>=', 1, 'workers were busy');
cmp_ok(max(map { $_ // -1 } @{ $history->{requests_per_second} }), '>', 0.5,
       'requests per second');
cmp_ok(max(map { $_ // -1 } @{ $history->{bytes_per_second} }), '>', 0,
       'bytes per second');
cmp_ok($json->{server}{recent}{requests_per_second}, '>', 0.5,
       'requests per second of late');
cmp_ok($json->{server}{recent}{window_seconds}, '<', 120, 'of that window');
cmp_ok($history->{workers_bytes}[-1], '>=', $first->{rss_bytes} - (1 << 20),
       'memory of the workers');
my ($native) = grep { $_->{name} eq 'native' } @{ $history->{groups} };
cmp_ok($native->{largest_bytes}[-1], '>=', $first->{rss_bytes} - (1 << 20),
       'and of their group');
cmp_ok($json->{server}{machine}{bytes}, '>',
       $json->{server}{machine}{available_bytes}, "the machine's memory");
is(sum0(@{ $history->{retired} }), 0, 'nobody was retired yet');

# ---- a retirement ---------------------------------------------------------

my $pid = AMGR::Case::Retire::pid_of(
    $s->get('/app/leak?mb=900')->content);
AMGR::Case::Retire::gone($s, $pid, 30, 'the leaking worker is gone');
ok(wait_until(sub { sum0(@{ history($s->json)->{retired} }) == 1 }, 30,
              'its sample'), 'one was retired, says the history');
my $recent = $s->json->{manager}{recent};
is(sum0(values %{ $recent->{retired} }), 1, 'and so do the records');
is($recent->{dry_runs}, 0, 'no dry run');
is($recent->{at_least} ? 1 : 0, 0, 'and none is forgotten');

# ---- what it outlives -----------------------------------------------------

# Samples go on behind those that were there before.
sub goes_on {
    my ($what, $before) = @_;
    my $ticks = $s->json->{manager}{ticks};
    ok(wait_until(sub { $s->json->{manager}{ticks} > $ticks }, 30,
                  "ticks $what"), "ticks go on $what");
    my $now = history(is_sound($what));
    cmp_ok(scalar @{ $now->{time} }, '>=', scalar @{ $before->{time} },
           "$what: no sample is lost");
    is($now->{time}[0], $before->{time}[0], "$what: the first is the same");
    is(sum0(@{ $now->{retired} }), 1, "$what: retired once");
    return $now;
}

$history = history($s->json);
ok($s->graceful, 'a graceful restart');
$history = goes_on('after a graceful restart', $history);

# The next one finds what it left, at the restart or by itself.
my $ticker = $s->ticker_pid;
kill 'KILL', $ticker;
AMGR::Case::Retire::gone($s, $ticker, 30, 'its ticker is killed');
ok($s->graceful, 'another graceful restart');
ok(wait_until(sub { my $new = $s->ticker_pid; $new && $new != $ticker }, 30,
              'another ticker'), 'another ticker');
$history = goes_on('after its ticker was killed', $history);

(my $less = $s->{mpm_config}) =~ s/MaxRequestWorkers 16/MaxRequestWorkers 8/;
$s->set_mpm_config($less);
ok($s->restart, 'a restart with fewer workers');
$history = goes_on('with other dimensions', $history);
is(scalar(grep { ($_ // 0) < 0 } @{ $history->{requests_per_second} }), 0,
   'counters that began anew are no negative rate');

is_sound('the day', '/manager-status/status.json?history=day');
is(history($s->json('/manager-status/status.json?history=day'))->{span},
   'day', 'which is the span that was asked for');
is($s->get('/manager-status?history=day')->code, 200, 'and the page with it');
ok($busy->wait(30), 'the request that kept a worker busy was answered');
$s->stop_ok;
done_testing();
