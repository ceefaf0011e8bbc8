# SPDX-License-Identifier: Apache-2.0
#
# Asks the server all the time: each of its pages in turn, and its metrics, of
# which no counter may ever go back.  Says ['answer', N] once a second,
# ['counters', N, M] for so many that were compared in so many answers,
# ['silent', SECONDS, WHY] for each request without an answer (since the last
# one that had one), ['status', PATH, STATUS], ['less', SAMPLE, BEFORE, NOW],
# and ['hanging', N] where a request is taken for one that hangs.
package Chaos::Witness;

use strict;
use warnings;

use Chaos::Helper;
use HTTP::Tiny;
use Time::HiRes qw(sleep time);

use constant {
    PAUSE_SEC => 0.15,
    WAIT_SEC  => 4,
    METRICS   => '/manager-status/metrics',
};

my @paths = (METRICS, '/small.txt', METRICS, '/manager-status', METRICS,
             '/manager-status/status.json', METRICS, '/manager-status?auto',
             METRICS, '/manager-status/processes');

sub start {
    my ($class, $base) = @_;
    my $http = HTTP::Tiny->new(timeout => WAIT_SEC, keep_alive => 0);
    my %seen;
    my ($turn, $answers, $counters, $looks) = (0, 0, 0, 0);
    my $last = my $told = time;
    return Chaos::Helper->start(sub {
        my ($say) = @_;
        my $path = $paths[$turn++ % @paths];
        my $answer = $http->get("$base$path");
        if ($answer->{status} == 599) {
            chomp(my $why = "$path: $answer->{content}");
            $say->('silent', time - $last, $why);
        }
        elsif ($answer->{status} != 200) {
            $say->('status', $path, $answer->{status});
        }
        else {
            $last = time;
            $answers++;
            if ($path eq METRICS) {
                $counters += compare($say, \%seen, $answer->{content});
                $looks++;
            }
        }
        if (time - $told >= 1) {
            $say->('answer', $answers);
            $say->('counters', $counters, $looks);
            ($answers, $counters, $looks, $told) = (0, 0, 0, time);
        }
        sleep PAUSE_SEC;
    });
}

# Returns how many could be compared.
sub compare {
    my ($say, $seen, $text) = @_;
    my (%is_counter, $compared);
    for my $line (split /\n/, $text) {
        if ($line =~ /^# TYPE (\S+) (counter|histogram)$/) {
            $is_counter{$1} = 1;
        }
        next unless $line =~ /^(([a-z_]+)(?:\{.*\})?) (\S+)$/;
        my ($sample, $name, $value) = ($1, $2, $3);
        $say->('hanging', $value)
            if $name eq 'apache_manager_workers_hanging' && $value > 0;
        next unless $is_counter{$name}
            || $is_counter{ $name =~ s/_(?:bucket|sum|count)$//r };
        my $before = $seen->{$sample};
        $say->('less', $sample, $before, $value)
            if defined $before && $value < $before;
        $compared++ if defined $before;
        $seen->{$sample} = $value;
    }
    return $compared // 0;
}

1;
