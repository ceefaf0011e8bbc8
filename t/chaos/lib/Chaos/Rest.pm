# SPDX-License-Identifier: Apache-2.0
#
# What has to be true once the trouble is over: all is ready and answers within
# a bound, and from then on no request is lost, nobody is left over, and nothing
# has grown.
package Chaos::Rest;

use strict;
use warnings;

use AMGR::Board;
use AMGR::Httpd ();
use AMGR::Load;
use AMGR::Managed;
use Chaos::Place;
use Chaos::Server;
use Chaos::Trouble::Helpers;
use Cpanel::JSON::XS ();
use HTTP::Tiny;
use List::Util qw(min sum0);
use Time::HiRes qw(sleep time);

use constant {
    LOOK_SEC   => 0.4,
    FRESH_SEC  => 5,      # so old a data file may be
    GROWTH_KB  => { parent => 1500, supervisor => 600 },
    MAPPINGS   => 12,     # libc's, of which a heap has more or fewer
    MANY       => $ENV{AMGR_PRELOAD} ? 30 : 1, # AddressSanitizer keeps memory
};

sub new {
    my ($class, $run) = @_;
    return bless { run => $run, http => HTTP::Tiny->new(timeout => 3,
                   keep_alive => 0), first => {}, last => {} }, $class;
}

sub s      { return $_[0]{run}{s} } ## no critic
sub report { return $_[0]{run}{report} }

sub json {
    my ($self) = @_;
    my $answer = $self->{http}->get(
        $self->s->url('/manager-status/status.json'));
    return unless $answer->{success};
    return Cpanel::JSON::XS->new->utf8->decode($answer->{content});
}

# ---- all is well ------------------------------------------------------------

# What is not as it should be, in words; nothing when all is well.
sub missing {
    my ($self) = @_;
    my $s = $self->s;
    my @ticker = $s->ticker_pid;
    return scalar(@ticker) . ' tickers' unless @ticker == 1;
    my @supervisor = AMGR::Managed::supervisors($s);
    return scalar(@supervisor) . ' supervisors' unless @supervisor == 1;
    my $ticks = AMGR::Board->ticks($s->board_file) // 0;
    my $last = $self->{ticks} // $ticks;
    $self->{ticks} = $ticks;
    return 'no tick' if $ticks <= $last;
    my $json = $self->json or return 'no answer';
    return "supervisor $supervisor[0] is not known"
        if ($json->{supervision}{supervisor} // 0) != $supervisor[0];
    for my $process (@{ $json->{managed} }) {
        return "$process->{name} is $process->{state}"
            if !$process->{ready} || !$process->{pid};
    }
    return "the application is $json->{supervision}{application}"
        if $json->{supervision}{application} ne 'running';
    return "health is $json->{manager}{health}"
        if $json->{manager}{health} >= 3;
    return $self->missing_load // $self->missing_adds_up($json)
        // $self->strays;
}

sub missing_load {
    my ($self) = @_;
    my $now = $self->{run}{load}->progress;
    my $before = $self->{progress} // $now;
    $self->{progress} = $now;
    return 'requests are lost: ' . lost_since($before, $now)
        if $now->{hard}{total} > $before->{hard}{total};
    return 'the load is not served' if $now->{ok} <= $before->{ok};
    return;
}

# Each start but that of what runs now has led to an end.
sub missing_adds_up {
    my ($self, $json) = @_;
    for my $process (@{ $json->{managed} }) {
        my $ends = sum0 values %{ $process->{exits} };
        return "$process->{name}: $process->{starts} starts, $ends ends"
            if $process->{starts} - $ends != 1;
    }
    return;
}

# By path, and the first failures that are described.
sub lost_since {
    my ($before, $now) = @_;
    my @paths;
    for my $i (0 .. $#{ $now->{paths} }) {
        my $more = $now->{paths}[$i]{hard} - $before->{paths}[$i]{hard};
        push @paths, "$more of $now->{paths}[$i]{path}" if $more;
    }
    my @kinds = map { "$_ " . ($now->{hard}{$_} - $before->{hard}{$_}) }
        grep { $_ ne 'total' && $now->{hard}{$_} > $before->{hard}{$_} }
        sort keys %{ $now->{hard} };
    return join(', ', @paths) . ' (' . join(', ', @kinds) . ')';
}

# Turns go on until the words are empty, or the time is over.
sub wait_well {
    my ($self) = @_;
    my $run = $self->{run};
    my $begun = time;
    my $words;
    delete @$self{qw(ticks progress)};
    do {
        my $until = time + LOOK_SEC;
        $run->turn while time < $until;
        # A first look has nothing to compare with, and so is never enough.
        $words = $self->missing;
    } while (defined $words && time < $begun + $run->{bound_sec});
    my $name = 'all is ready and answers after trouble';
    $self->report->check(!defined $words, $name, sub {
        "not within $run->{bound_sec} s: $words" });
    $run->say(sprintf 'well after %.1f s%s', time - $begun,
              defined $words ? " NOT: $words" : '');
    $self->{slowest} = time - $begun if time - $begun > ($self->{slowest} // 0);
    return !defined $words;
}

# ---- who is there -----------------------------------------------------------

# All processes that are the server's, or were: [pid, start, ppid, state].
sub census {
    my ($self) = @_;
    my @pids = $self->s->all_pids;
    if (Chaos::Place::is_own()) {
        opendir my $dir, '/proc' or die "/proc: $!\n";
        @pids = grep { /^\d+$/ && $_ != $$ } readdir $dir;
    }
    my %own = map { $_ => 1 } $self->{run}->own_pids;
    my @found;
    for my $pid (grep { !$own{$_} } @pids) {
        my @stat = AMGR::Httpd::stat_fields($pid) or next;
        push @found, { pid => $pid, born => $stat[19], ppid => $stat[1],
                       state => $stat[0], comm => AMGR::Httpd::comm($pid) };
    }
    return @found;
}

# Zombies, and whoever is not below the server's parent.
sub odd {
    my ($self) = @_;
    my @all = $self->census;
    my %by_pid = map { $_->{pid} => $_ } @all;
    my %odd;
    for my $process (@all) {
        my $at = $process;
        my $parent = $self->s->parent_pid;
        while ($at && $at->{pid} != $parent && $at->{ppid} != $parent) {
            $at = $by_pid{ $at->{ppid} };
        }
        my $what = $process->{state} eq 'Z' ? 'a zombie'
            : !$at ? 'an orphan' : next;
        next if $process->{pid} == $parent;
        $odd{"$process->{pid} $process->{born} $what"} = "$what, "
            . "$process->{pid} ($process->{comm}), child of $process->{ppid}";
    }
    return \%odd;
}

# Those that stay: one that has just ended is a zombie for a moment.
sub strays {
    my ($self) = @_;
    my $now = $self->odd;
    my @stay = grep { $self->{odd}{$_} } sort keys %$now;
    $self->{odd} = $now;
    return @stay ? join '; ', map { $now->{$_} } @stay : undef;
}

# ---- what must not grow -----------------------------------------------------

sub anon_kb {
    my ($pid) = @_;
    my ($kb) = AMGR::Httpd::slurp("/proc/$pid/status")
        =~ /^RssAnon:\s*(\d+)/m;
    return $kb // 0;
}

# A ticker has one or more for each process that it watches.
sub descriptors {
    my ($pid) = @_;
    my @targets = map { readlink($_) // () } glob "/proc/$pid/fd/*";
    return scalar grep { !/pidfd|^\/proc\/|^\/\d+(?:\/|$)/ } @targets;
}

sub figures {
    my ($self) = @_;
    my $s = $self->s;
    my %pid = (parent => $s->parent_pid,
               supervisor => Chaos::Server::supervisor($s),
               ticker => scalar $s->ticker_pid);
    my %figure;
    for my $who (sort keys %pid) {
        my $pid = $pid{$who} or next;
        $figure{"descriptors of the $who"} = descriptors($pid);
        $figure{"mappings of the $who"} = () =
            AMGR::Httpd::slurp("/proc/$pid/maps") =~ /\n/g if $who eq 'parent';
        $figure{"KB of the $who"} = anon_kb($pid)
            if GROWTH_KB->{$who};
    }
    $figure{'files of the runtime directory'} = () =
        glob $s->path('run') . '/*';
    return \%figure;
}

# The least of many looks: an attempt of a verifier has descriptors while it is
# under way.
sub least {
    my ($least, $figures) = @_;
    for my $name (keys %$figures) {
        $least->{$name} = min grep { defined } $least->{$name},
            $figures->{$name};
    }
    return;
}

# ---- phases -----------------------------------------------------------------

sub warm_up {
    my ($self) = @_;
    my $run = $self->{run};
    $self->wait_well or die "the server does not come up\n";
    for my $turn (1 .. $run->{warm_up}) {
        # The parent holds on to what waits for the guards of the last one.
        $self->replace_helpers if $turn == 1;
        $run->{restart_due} = 0;
        $run->turn while $run->{restart} || !$run->{restart_due};
        $self->wait_well;
    }
    $self->report->met('lost while the first supervisor was replaced',
                       $run->{load}->progress->{hard}{total});
    $self->quiet($self->{first});
    $self->{slowest} = 0;
    return;
}

# As the agent would: what the parent has once one of them was replaced.
sub replace_helpers {
    my ($self) = @_;
    my $agent = Chaos::Trouble::Helpers->new($self->{run});
    $agent->strike(Chaos::Server::supervisor($self->s), 'KILL', 'warming up');
    $agent->strike(scalar $self->s->ticker_pid, 'KILL', 'warming up');
    return;
}

# A while in which nothing whatever may be lost.
sub quiet {
    my ($self, $least) = @_;
    my $run = $self->{run};
    my ($report, $load) = ($self->report, $run->{load});
    my $before = $load->progress;
    delete $run->{silent};
    my $end = time + $run->{quiet_sec};
    while (time < $end) {
        $run->turn;
        least($least, $self->figures);
    }
    my $now = $load->progress;
    $report->asserted('no request is lost in a rest',
                      $now->{requests} - $before->{requests});
    $report->failed('no request is lost in a rest', lost_since($before, $now)
                    . "\n" . join "\n", AMGR::Load->lost($now))
        if $now->{hard}{total} > $before->{hard}{total};
    $report->check(!$run->{silent}, 'each request of a rest is answered',
                   $run->{silent});
    my $strays = $self->strays;
    $report->check(!$strays, 'no orphan and no zombie', $strays);
    my $age = time - ((Time::HiRes::stat(Chaos::Server::data_file($self->s)))[9]
                      // 0);
    $report->check($age < FRESH_SEC, 'the data file is written after trouble',
                   "it is $age s old");
    return;
}

sub rest {
    my ($self) = @_;
    my $run = $self->{run};
    my $well = $self->wait_well;
    $self->account;
    $run->{log}->settle;
    if ($well) {
        $self->{last} = {};
        $self->quiet($self->{last});
    }
    return;
}

# What the trouble has cost until it was over, and whether it could.
sub account {
    my ($self) = @_;
    my $run = $self->{run};
    my ($before, $now) = ($run->{before}, $run->{load}->progress);
    my $touched = $run->{touched};
    my %can = ('/small.txt' => ['workers'], '/shop/' => [qw(workers backends)]);
    for my $i (0 .. $#{ $now->{paths} }) {
        my $path = $now->{paths}[$i]{path};
        my $lost = $now->{paths}[$i]{hard} - $before->{paths}[$i]{hard};
        if (grep { $touched->{$_} } @{ $can{$path} }) {
            $self->report->met("lost of $path with whoever was struck", $lost);
            next;
        }
        $self->report->check(!$lost, 'trouble of others costs no request',
            sub { lost_since($before, $now) . "\n"
                  . join "\n", AMGR::Load->lost($now) });
    }
    return;
}

sub sum_up {
    my ($self) = @_;
    my ($first, $last, $run) = @$self{qw(first last run)};
    $self->report->met('seconds until all was well, at most',
                       sprintf '%.1f', $self->{slowest});
    for my $name (sort keys %$first) {
        my ($who) = $name =~ /^KB of the (\w+)/;
        my $room = $who ? GROWTH_KB->{$who} * MANY
            : $name =~ /^mappings/ ? MAPPINGS * MANY : 0;
        my ($then, $now) = ($first->{$name}, $last->{$name} // next);
        $run->say("$name: $then, now $now");
        $self->report->check($now <= $then + $room,
            $who ? 'no memory grows' : 'no number of descriptors or files grows',
            "$name: $then at the beginning, $now at the end");
    }
    return;
}

1;
