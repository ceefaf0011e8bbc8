# SPDX-License-Identifier: Apache-2.0
#
# A run: a server under load, and phases of trouble and of rest by turns.  In
# trouble agents do by chance what they can; in rest everything has to be as it
# should within a bound, and then no request is lost.  Restarts come all the
# time.
package Chaos::Run;

use strict;
use warnings;

use AMGR::Httpd ();
use Chaos::Decoys;
use Chaos::Log;
use Chaos::Place;
use Chaos::Random;
use Chaos::Reader;
use Chaos::Report;
use Chaos::Rest;
use Chaos::Server;
use Chaos::Trouble::Clock;
use Chaos::Trouble::Descriptors;
use Chaos::Trouble::Disk;
use Chaos::Trouble::Forks;
use Chaos::Trouble::Helpers;
use Chaos::Trouble::Processes;
use Chaos::Trouble::Workers;
use Chaos::Witness;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

use constant {
    TURN_SEC    => 0.05,
    DECOYS_SEC  => 0.5,
    NEAR_SEC    => 3,
    RESTART_SEC => 30,  # within which it has to say that it goes on
    SILENT_SEC  => 30,  # of the server in trouble
    ONE_ALONE   => 0.4, # so often one agent acts alone
    LATE        => 3,   # times the trouble
};

my @agents = qw(Workers Helpers Processes Disk Clock Forks Descriptors);

# Options: mpm, seed, seconds (of all phases), trouble_sec, quiet_sec (of each),
# bound_sec (until all is well), restart_sec (from one to the next), pace_sec (the
# longest pause in trouble), warm_up (restarts before it), once (each trouble has
# each move of each agent once), say (a sub that is told how it goes).
sub new {
    my ($class, %opt) = @_;
    my $self = bless { pace_sec => 1.2, warm_up => 2, %opt, begun => time, due => [], busy => {}, struck => {},
                       stopped => {}, reap => [], touched => {} }, $class;
    $self->{random} = Chaos::Random->new($opt{seed});
    return $self;
}

sub prepare {
    my ($self) = @_;
    my %env;
    my $s = $self->{s} = Chaos::Server->new($self->{mpm}, \%env);
    $self->{decoys} = Chaos::Decoys->new($s);
    $s->{env} = { %{ $s->{env} }, $self->{decoys}->env };
    $self->{report} = Chaos::Report->new($s->log_file);
    $self->{log} = Chaos::Log->new($s, @$self{qw(report struck)});
    $s->start;
    $self->{decoys}->start;
    $self->{load} = Chaos::Server::load($s);
    $self->{reader} = Chaos::Reader->start(Chaos::Server::data_file($s));
    $self->{witness} = Chaos::Witness->start($s->url(''));
    $self->{rest} = Chaos::Rest->new($self);
    $self->{restart_due} = time + $self->{restart_sec};
    for my $agent (map { "Chaos::Trouble::$_" } @agents) {
        push @{ $self->{agents} }, $agent->new($self);
    }
    return;
}

sub say { ## no critic
    my ($self, $text) = @_;
    $self->{say}->(sprintf '%6.1f s  %s', time - $self->{begun}, $text)
        if $self->{say};
    return;
}

# ---- what agents ask of it --------------------------------------------------

# So many seconds from now, or at the end of the trouble.
sub later {
    my ($self, $seconds, $sub) = @_;
    push @{ $self->{due} }, [time + $seconds, $sub];
    return;
}

# What this trouble can cost requests of.
sub touch { my ($self, $what) = @_; $self->{touched}{$what} = 1; return }

sub reap_later { my ($self, $pid) = @_; push @{ $self->{reap} }, $pid; return }

sub restart_is_near {
    my ($self) = @_;
    return $self->{restart} || time > $self->{restart_due} - NEAR_SEC;
}

# ---- one turn ---------------------------------------------------------------

sub turn {
    my ($self) = @_;
    $self->undo_due(time);
    $self->restart;
    $self->{log}->follow;
    $self->hear;
    $self->reap;
    if (time > ($self->{decoys_due} // 0)) {
        $self->{decoys_due} = time + DECOYS_SEC;
        $self->look_at_decoys;
    }
    $self->{s}->is_running or die "the server is gone\n";
    sleep TURN_SEC;
    return;
}

sub undo_due {
    my ($self, $until) = @_;
    my @now = sort { $a->[0] <=> $b->[0] }
        grep { $_->[0] <= $until } @{ $self->{due} };
    $self->{due} = [grep { $_->[0] > $until } @{ $self->{due} }];
    $_->[1]->() for @now;
    return;
}

# A graceful restart every so many seconds, of which the log tells that it is
# over.
sub restart {
    my ($self) = @_;
    my ($s, $report) = @$self{qw(s report)};
    my $now = time;
    if (my $restart = $self->{restart}) {
        my $done = $s->log_text($restart->{from})
            =~ /resuming normal operations/;
        return unless $done || $now > $restart->{begun} + RESTART_SEC;
        delete $self->{restart};
        $report->check($done, 'a graceful restart goes through',
                       'not within ' . RESTART_SEC . ' s');
        return;
    }
    return if $now < $self->{restart_due}
        || $self->{busy}{'limit ' . $s->parent_pid};
    $self->{restart_due} = $now + $self->{restart_sec};
    $self->{restart} = { begun => $now, from => -s $s->log_file };
    $s->signal('USR1');
    $report->done('graceful restart');
    return;
}

sub hear {
    my ($self) = @_;
    my $report = $self->{report};
    for my $word ($self->{reader}->said) {
        my ($what, @of) = @$word;
        my $whole = 'no part of a data file is seen';
        if ($what eq 'read') {
            $report->asserted($_, $of[0]) for $whole, 'the data file is there';
        }
        $report->failed($whole, $of[0]) if $what eq 'partial';
        $report->failed('no counter goes back', "data file: @of")
            if $what eq 'less';
        $report->failed('the data file is there', 'it was gone')
            if $what eq 'gone' && !$self->{busy}{disk};
        die "the reader: @of\n" if $what eq 'died';
    }
    for my $word ($self->{witness}->said) {
        $self->hear_witness(@$word);
    }
    return;
}

sub hear_witness {
    my ($self, $what, @of) = @_;
    my $report = $self->{report};
    if ($what eq 'answer') {
        $report->asserted('the server answers', $of[0]);
    }
    elsif ($what eq 'counters') {
        $report->asserted('no counter goes back', $of[0]);
        $report->asserted('no request is taken for one that hangs', $of[1]);
    }
    elsif ($what eq 'silent') {
        $report->met('requests of the witness without an answer');
        $self->{silent} = $of[1];
        $report->failed('the server answers', "for $of[0] s: $of[1]")
            if $of[0] > SILENT_SEC;
    }
    elsif ($what eq 'status') {
        $report->failed('the server answers', "$of[0]: status $of[1]");
    }
    elsif ($what eq 'less') {
        $report->failed('no counter goes back', "$of[0]: $of[1], now $of[2]");
    }
    elsif ($what eq 'hanging') {
        $report->failed('no request is taken for one that hangs',
                        "$of[0] of them");
    }
    else {
        die "the witness: $what @of\n";
    }
    return;
}

# Forks of the run's own, and in a place of its own whatever came to pid 1.
sub reap {
    my ($self) = @_;
    $self->{reap} = [grep { waitpid($_, WNOHANG) == 0 } @{ $self->{reap} }];
    return unless Chaos::Place::is_own();
    my %own = map { $_ => 1 } $self->own_pids;
    for my $pid (grep { !$own{$_} } $self->{s}->children($$)) {
        waitpid $pid, WNOHANG;
    }
    return;
}

# What the run has started itself.
sub own_pids {
    my ($self) = @_;
    return grep { defined } $self->{s}{forked}, $self->{load}{pid},
        $self->{reader}->pid, $self->{witness}->pid, @{ $self->{reap} },
        $self->{decoys}->pids;
}

sub look_at_decoys {
    my ($self) = @_;
    my $name = 'no signal to a decoy, and all of them live';
    $self->{report}->asserted($name, $self->{decoys}->count);
    $self->{report}->failed($name, $_) for $self->{decoys}->wrong;
    return;
}

# ---- phases -----------------------------------------------------------------

# One agent alone, or several of them, and what they can do as often as it is
# likely.
sub choose_moves {
    my ($self) = @_;
    my $random = $self->{random};
    my @agents = $random->shuffle(@{ $self->{agents} });
    my $count = $self->{once} ? @agents
        : $random->chance(ONE_ALONE) ? 1 : 2 + $random->below($#agents);
    my @moves;
    for my $agent (@agents[0 .. $count - 1]) {
        for my $move ($agent->moves) {
            my ($name, $weight, $method) = @$move;
            push @moves, ([$name, $agent, $method])
                x ($self->{once} ? 1 : $weight);
        }
    }
    my %kind = map { ref($_->[1]) =~ /(\w+)$/; $1 => 1 } @moves;
    $self->say('trouble: ' . join ', ', sort keys %kind);
    return @moves;
}

# Any of them, or the first of those that are left, which is the last again
# where there is nothing to do it to yet.
sub move {
    my ($self, $moves) = @_;
    my $move = $self->{once} ? shift @$moves : $self->{random}->pick(@$moves);
    my ($name, $agent, $method) = @$move;
    my $did = $agent->$method;
    $self->{report}->done($name) if $did;
    push @$moves, $move if $self->{once} && !$did;
    return;
}

sub trouble {
    my ($self, $seconds) = @_;
    my $random = $self->{random};
    $self->{touched} = {};
    delete $self->{log}{any_stopped};
    my @moves = $self->choose_moves;
    @moves = $random->shuffle(@moves) if $self->{once};
    $self->{before} = $self->{load}->progress;
    my $end = time + $seconds;
    my $next = 0;
    # A busy machine has more time for what is to be done once.
    my $tries = $self->{once} ? @moves : 0;
    while (@moves && (time < $end
                      || $tries > 0 && time < $end + LATE * $seconds)) {
        if (time >= $next) {
            $tries--;
            $self->move(\@moves);
            $next = time + $random->between(0.05, $self->{pace_sec});
        }
        $self->turn;
    }
    $self->undo_due(time + 3600);
    return;
}

sub run { ## no critic
    my ($self) = @_;
    my $ok = eval {
        $self->prepare;
        $self->{rest}->warm_up;
        my $end = time + $self->{seconds};
        do {
            $self->trouble($self->{trouble_sec});
            $self->{rest}->rest;
        } while (time < $end);
        $self->{rest}->sum_up;
        1;
    };
    $self->{report}->failed('the run goes to its end', $@) unless $ok;
    $ok = eval { $self->finish; 1 };
    $self->{report}->failed('the run goes to its end', $@) unless $ok;
    my $s = $self->{s};
    Chaos::Place::unmount_disk(Chaos::Server::data_dir($s)) if $s->{has_disk};
    return $self->{report};
}

sub finish {
    my ($self) = @_;
    my ($s, $report) = @$self{qw(s report)};
    $_->end for grep { $_ } @$self{qw(reader witness)};
    for my $pid (splice @{ $self->{reap} }) {
        kill 'KILL', $pid;
        waitpid $pid, 0;
    }
    if ($self->{load}) {
        my $result = $self->{load}->stop;
        $report->met('requests of the load', $result->{requests});
        $report->met('requests of the load that were lost',
                     $result->{hard}{total});
        $report->met('kept connections closed', $result->{stale});
    }
    $self->look_at_decoys;
    my @wrong = $s->stop;
    $report->check(!@wrong, 'nothing is left at the end', join '; ', @wrong);
    $self->{log}->follow;
    $self->{log}->settle;
    my @doubles = map { s{.*/}{}r } glob $s->path('state/*.double');
    $report->check(!@doubles, 'no managed process runs twice', "@doubles");
    $self->{decoys}->stop;
    return;
}

1;
