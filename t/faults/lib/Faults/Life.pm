# SPDX-License-Identifier: Apache-2.0
#
# The beginning and the end of a server while calls of the module fail: it
# starts and is well once nothing fails any more, or says why it does without
# something, or ends and says why; and it ends in time, with nothing left.
package Faults::Life;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use AMGR::Inject;
use Faults::Server;
use Faults::Silent qw(may_be_silent);
use Faults::Ways qw(ways_of);
use Time::HiRes qw(time);

use constant {
    WELL_SEC => 40,
    SOON_SEC => 5,
    # The server said that it does without the module.
    WITHOUT  => qr/AMGR0016: |AMGR0010: /,
};

sub new {
    my ($class, $mpm) = @_;
    return bless { f => Faults::Server->new($mpm) }, $class;
}

# What can fail at the start, and what at the end: two lists of ways.
sub ways {
    my ($self) = @_;
    my $f = $self->{f};
    my ($s, $inject) = @$f{qw(s inject)};
    $inject->clear;
    $f->start;
    my @start = ways_of($s->{module}, undef, $inject->sites);
    $inject->clear;
    my @wrong = $s->stop;
    die "it does not end well as it is: @wrong\n" if @wrong;
    return (\@start, [ways_of($s->{module}, undef, $inject->sites)]);
}

sub arm {
    my ($self, $way) = @_;
    return $self->{f}{inject}->arm(map { $_ => $way->{$_} }
                                   qw(site first run how));
}

# One life: the results of both, as Faults::Server::try_way has them.  What is
# tried again when the monitor hook comes takes ten seconds: only in haste that
# is not waited for.
sub try_ways {
    my ($self, $start, $stop, $in_haste) = @_;
    my $f = $self->{f};
    my ($s, $inject) = @$f{qw(s inject)};
    my @results;
    my $log = -s $s->log_file // 0;
    my $out = -s $s->path('logs/output.log') // 0;
    my $begun = time;
    $f->{told} = '';
    $inject->forget_parent;
    $self->arm($start) if $start;
    $s->{port} = AMGR::Httpd::free_port();
    $s->write_config;
    my $why = $s->try_start // '';
    $f->{baseline} = undef;
    my $hits = $inject->disarm;
    my $is_without = $s->log_text($log) =~ WITHOUT;
    my $wrong = $why ? ($why =~ /no word of it/ ? 'hangs at its start' : '')
        : $is_without ? ''
        : $in_haste ? ($f->json ? '' : 'no status.json')
        : $f->whats_wrong(WELL_SEC) // '';
    push @results, $self->judge('start', $start, $log, $out, $hits, $begun,
                                $wrong, $why)
        if $start;
    return @results if $why;
    ($log, $begun) = (-s $s->log_file, time);
    $self->arm($stop) if $stop;
    my @wrong = $s->stop;
    $hits = $inject->disarm;
    # A file that cannot be looked at, or removed, stays; the next server takes
    # its place.
    @wrong = grep { !/file stayed/ } @wrong if $stop && $stop->{where}
        =~ /^(?:amgr_board_file_remove|remove_data_file) /;
    unlink $s->board_file, $s->data_file;
    push @results, $self->judge('stop', $stop, $log, $out, $hits, $begun,
                                join('; ', @wrong), '')
        if $stop || @wrong;
    return @results;
}

sub judge {
    my ($self, $name, $way, $log, $out, $hits, $begun, $wrong, $why) = @_;
    my $f = $self->{f};
    my @told = grep { length } $f->lines_told($log), $why;
    my @found = $f->crashes($log, $out);
    push @found, $wrong if $wrong;
    # At the end there is nobody to be told any more; what is counted may be so a
    # moment later.
    push @found, 'silent' if $name eq 'start' && $hits && !@told && !@found
        && !may_be_silent($way)
        && !wait_until(sub { $f->errors_counted > 0 }, SOON_SEC, 'a count');
    return { hits => $hits, told => \@told, found => \@found, name => $name,
             seconds => time - $begun, way => $way };
}

1;
