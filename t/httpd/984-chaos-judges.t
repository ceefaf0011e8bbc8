#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The judges of `make chaos` see what is wrong: a counter that goes back, a part
# of a data file, a decoy that is signalled, ended or stopped, and what the log
# tells of.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../chaos/lib";

use AMGR::Httpd qw(wait_until);
use Chaos::Decoys;
use Chaos::Log;
use Chaos::Random;
use Chaos::Reader;
use Chaos::Report;
use Chaos::Witness;
use Test::More;

use constant SOON => 30;

# Its root is used alone; it never starts.
my $s = AMGR::Httpd->new(mpm => 'event', manager => 0);

sub counters {
    my (%seen, @said);
    my $metrics = "# TYPE a_total counter\na_total{x=\"1\"} %d\n"
        . "# TYPE h histogram\nh_bucket{le=\"1\"} %d\nh_sum 2.5\nh_count 7\n"
        . "# TYPE g gauge\ng %d\n"
        . "# TYPE apache_manager_workers_hanging gauge\n"
        . "apache_manager_workers_hanging %d\n";
    my $look = sub {
        return Chaos::Witness::compare(sub { push @said, "@_" }, \%seen,
                                       sprintf $metrics, @_);
    };
    is($look->(5, 5, 5, 0), 0, 'at first there is nothing to compare with');
    is($look->(6, 5, 4, 0), 4, 'counters and histograms are compared');
    is("@said", '', 'a gauge may go back');
    $look->(5, 4, 4, 2);
    is(join('; ', @said), 'less a_total{x="1"} 6 5; less h_bucket{le="1"} 5 4;'
       . ' hanging 2', 'a counter may not, and nothing may hang');
    return;
}

sub data_file {
    my %value = Chaos::Reader::parse("# x\na\t1\nb\tc\t2.5\nd\t\n");
    is_deeply(\%value, { a => 1, 'b c' => 2.5 }, 'a data file is read');
    my $file = $s->write('work/part.txt', "busy-workers\t1\nbytes-per-req");
    my $reader = Chaos::Reader->start($file);
    my %said;
    my $hear = sub {
        my ($what) = @_;
        return wait_until(sub {
            $said{ $_->[0] } = 1 for $reader->said;
            return $said{$what};
        }, SOON, $what);
    };
    ok($hear->('partial'), 'a part of one is seen');
    unlink $file;
    ok($hear->('gone'), 'and when it is gone');
    $reader->end;
    return;
}

# What is wrong with them, once there is something.
sub wrong {
    my ($decoys, $what) = @_;
    my @wrong;
    wait_until(sub { @wrong = $decoys->wrong }, SOON, $what);
    return join '; ', @wrong;
}

sub decoys {
    my $decoys = Chaos::Decoys->new($s);
    $decoys->add('apache2') for 1 .. 3;
    my ($told, $killed, $stopped) = $decoys->pids;
    ok(wait_until(sub {
        return 3 == grep { AMGR::Httpd::comm($_) eq 'apache2' } $decoys->pids;
    }, SOON, 'decoys'), 'decoys have the name of a worker');
    is(join(' ', $decoys->wrong), '', 'nothing is wrong with them');
    kill 'USR1', $told;
    like(wrong($decoys, 'a signal'), qr/^decoy $told, apache2: .* 10 $$ 0$/,
         'a signal to one is told, and by whom');
    kill 'STOP', $stopped;
    like(wrong($decoys, 'one is stopped'), qr/^decoy $stopped, .* state T/,
         'that one is stopped, too');
    kill 'KILL', $killed, $stopped;
    like(wrong($decoys, 'one is killed'), qr/^decoy $killed, .* state Z/,
         'and that one is killed');
    waitpid $_, 0 for $killed, $stopped;
    $decoys->stop;
    return;
}

# Each line, and what it breaks: 8 was struck by the run, 7 was not.
sub log_lines {
    my $head = '[x] [apache_manager:notice] [pid 1:tid 1] ';
    my $over = sub {
        return "${head}AMGR0001: Killing native worker $_[0] (idle) having "
            . "served 9 requests (GET / HTTP/1.1): $_[1], announced";
    };
    my $crash = '[x] [core:notice] [pid 1:tid 1] AH00052: child pid %d exit '
        . 'signal Segmentation fault (11)';
    my %breaks = (
        $over->(7, 'requests 9 over ManagerMaxRequests 8') => '',
        $over->(7, 'request age 9s over ManagerMaxTime 8s') => 'retired',
        $over->(8, 'request age 9s over ManagerMaxTime 8s') => '',
        $over->(7, 'lifetime 9s over ManagerMaxLifetime 8s') => 'retired',
        sprintf($crash, 7) => 'worker ends',
        sprintf($crash, 8) => '',
        '[x] [core:error] [pid 1:tid 1] AH1: new' => 'nobody expects',
        '==1==ERROR: AddressSanitizer: use after free' => 'nobody expects',
        "${head}AMGR0011: ticker 7 ended by itself (0xb)" => 'no ticker',
        "${head}AMGR0040: supervisor 7 ended by itself (0xb)"
            => 'no supervisor',
        "${head}AMGR0035: process web: its guard 7 is gone" => 'no guard',
        "${head}AMGR0034: process web: READY -> STOPPING" => '',
    );
    for my $line (sort keys %breaks) {
        my $report = Chaos::Report->new($s->log_file);
        my $log = Chaos::Log->new($s, $report, { 8 => 'SEGV' });
        $log->line($line);
        $log->settle;
        like(join(' ', map { $_->{name} } @{ $report->{failures} }),
             $breaks{$line} ? qr/\b$breaks{$line}\b/ : qr/^$/, $line);
    }
    return;
}

sub report {
    my $report = Chaos::Report->new($s->log_file);
    $report->done('a kill') for 1 .. 3;
    $report->check(1, 'a rule', 'not told');
    $report->check(0, 'a rule', 'broken');
    my $text = join "\n", $report->lines;
    like($text, qr/^  a kill +3 *$/m, 'what was done is counted');
    like($text, qr/^  a rule +2 +1$/m, 'what was asserted, and what failed');
    like($text, qr/^FAILED after [\d.]+ s: a rule: broken$/m, 'and how');
    return;
}

sub choices {
    my ($seed) = @_;
    my $random = Chaos::Random->new($seed);
    return join ' ', map { $random->below(1000) } 1 .. 50;
}

counters();
data_file();
decoys();
log_lines();
report();
is(choices(7), choices(7), 'a seed makes the same choices');
isnt(choices(7), choices(8), 'and another others');
done_testing();
