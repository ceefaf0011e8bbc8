# SPDX-License-Identifier: Apache-2.0
#
# The command line tool while its calls fail, asking a server of whose calls
# none does: it goes another way to the same end, or says what is wrong and ends
# with a status that is documented.
package Faults::Tool;

use strict;
use warnings;

use AMGR::Build qw(build_dir);
use AMGR::Httpd ();
use AMGR::Inject;
use AMGR::Managed;
use Faults::Program;
use Faults::Ways qw(ways_of);
use Time::HiRes qw(time);

use constant HANG_SEC => 60;

sub new {
    my ($class) = @_;
    my $s = AMGR::Httpd->new(mpm => 'event', interval => '100ms',
                             name => 'faults-tool');
    AMGR::Managed::prepare($s);
    $s->set_config("ManagerSocket control.sock\nManagerControl On\n"
        . "ManagerMinAge 1s\nManagerStormLimit Off\n"
        . AMGR::Managed::section($s, 'web', "RestartDelay 100ms\n"
            . "    RestartLimit Off\n    Verify exec /bin/true"));
    $s->start;
    AMGR::Managed::wait_for($s, 'web', 'READY') or die "web is not ready\n";
    my $inject = AMGR::Inject->new($s->path('work/inject'),
                                   'apache-manager-fetch', 'apache-manager');
    return bless { s => $s, inject => $inject }, $class;
}

# Each a name and arguments.
sub commands {
    my ($self) = @_;
    my $file = $self->{s}->path('work/metrics.txt');
    my $url = '--url=' . $self->{s}->url('/manager-status');
    # Another address of this machine, which only HTTP tells anything of.
    (my $page = $url) =~ s/\b127\.0\.0\.1\b/localhost/;
    return (['report', $url], ['once', $url, '--once'],
            ['json', $url, '--json'], ['zabbix', $url, '-z'],
            ['processes', $url, '--processes'], ['tree', $url, 'tree'],
            ['status', $url, 'status'], ['collect', $url, '-c', '-f', $file],
            ['would kill', $url, '-n', '-i', '1'],
            ['kill', $url, '-i', '1', '--max-kills', '1'],
            ['restart', $url, '--wait=10s', 'restart', 'web'],
            ['by HTTP', $page, '-f', '-']);
}

sub run_tool {
    my ($self, $command) = @_;
    my (undef, @args) = @$command;
    my %env = (%{ $self->{inject}->env }, HOME => '/nonexistent',
               NO_COLOR => 1);
    return Faults::Program::run(\%env, HANG_SEC,
                                build_dir() . '/apache-manager', @args);
}

sub ways {
    my ($self, $command) = @_;
    my $inject = $self->{inject};
    $inject->disarm;
    $inject->clear;
    $inject->forget_parent; # its places are known by its role as well
    my $r = $self->run_tool($command);
    $self->{lines}{ $command->[0] } = () = $r->{out} =~ /\n/g;
    return map {
        my $object = $_;
        ways_of(build_dir() . "/$object", { whole => 10, more => 4 },
                grep { $_->{object} eq $object } $inject->sites);
    } @{ $inject->{objects} };
}

sub try_way {
    my ($self, $command, $way) = @_;
    my ($s, $inject) = @$self{qw(s inject)};
    my @before = $self->files;
    $inject->forget_parent;
    $inject->arm(map { $_ => $way->{$_} } qw(site first run how));
    my $r = $self->run_tool($command);
    my $hits = $inject->disarm;
    my %was = map { $_ => 1 } @before;
    my @found = $self->judge($command, $way, $r);
    my @more = grep { !$was{$_} } $self->files;
    push @found, "left: @more" if @more;
    unlink map { $s->path("work/$_") } @more;
    return { hits => $hits, found => \@found, told => [$r->{out}],
             way => $way, seconds => $r->{seconds} };
}

sub files {
    my ($self) = @_;
    opendir my $dir, $self->{s}->path('work') or die "work: $!\n";
    return grep { $_ ne 'metrics.txt' && !/^\./ } readdir $dir;
}

sub judge {
    my ($self, $command, $way, $r) = @_;
    my $status = $r->{status} >> 8;
    return "hangs: $r->{where}" if $r->{late};
    return "signal $r->{signal}" if $r->{signal};
    return "status $status" if $status > 4;
    my @bad = grep { /inject:|\*\*\*|Sanitizer|runtime error:/ }
        split /\n/, $r->{out};
    return $bad[0] if @bad;
    my $lines = () = $r->{out} =~ /\n/g;
    # Whoever cannot write cannot tell; the status does.
    my $is_mute = $way->{call} eq 'write';
    return 'silent' if $status && !$is_mute && $r->{out} !~ /\S/;
    return "$lines lines of $self->{lines}{ $command->[0] } and status 0"
        if !$status && $lines < $self->{lines}{ $command->[0] } / 2;
    return "leaves " . join ' ', @{ $r->{left} } if @{ $r->{left} };
    return;
}

1;
