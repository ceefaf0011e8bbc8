#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A fleet on one machine: three private servers, one of each MPM, and a real
# Prometheus that finds them by a file of targets and judges them by the rules
# of conf/prometheus.  One server leaks, one hangs, and one is stopped; what
# Prometheus makes of it is printed as it changes.  Runs until Ctrl-C.
#
#   make fleet
#   CHECK=1 make fleet      until the alerts have fired; exit status 0: they did
#
# In the copies of configuration and rules that are used here a minute of the
# shipped ones is a second, where they wait; nothing else of them differs.
use strict;
use warnings;

# Above all that is used, so that it runs behind their ends.
my ($owner, $interrupted);
END { print "ended\n" if $interrupted && $$ == $owner }

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(repo_dir);
use AMGR::Prometheus;
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    LOOK_SEC   => 1,    # between two looks at Prometheus
    TABLE_SEC  => 10,   # between two tables of the servers
    STEADY_SEC => 20,   # that the third server serves before it is stopped
    CHECK_SEC  => 240,
    PAUSE_SEC  => 0.3,  # of a client, between two requests
    ANSWER_SEC => 900,
};

my $limits = <<'END';
ManagerInterval        1s
ManagerMinAge          2s
ManagerMaxMemoryIdle   60M
ManagerMaxMemoryActive 120M
ManagerStormLimit      5 30s
WSGIScriptAlias /app "%s"
<Location "/app">
    Require local
</Location>
END

# What is done to each server, and the alert that tells of it.
my @fleet = (
    { mpm => 'prefork', cluster => 'shop', does => 'leaks',
      paths => ['/app/leak?mb=15'], alert => 'ApacheManagerKillStorm' },
    { mpm => 'worker', cluster => 'intranet', does => 'hangs',
      more => "ManagerHangingThreshold 3s\n",
      paths => [('/app/sleep?s=600') x 4],
      alert => 'ApacheManagerWorkersHanging' },
    { mpm => 'event', cluster => 'shop', does => 'is stopped',
      paths => ['/app/pid'], alert => 'ApacheManagerDown' },
);

my $check = $ENV{CHECK};
my $begun = time;
my %firing;   # "alert instance" => summary
my %fired;    # ever
my @clients;  # pids
my $prometheus;

$owner = $$;
$SIG{INT} = $SIG{TERM} = \&interrupt;
STDOUT->autoflush(1);
main();

sub main {
    start_server($_) for @fleet;
    $prometheus = start_prometheus();
    introduce();
    start_client($_) for @fleet;
    my $table_at = time + TABLE_SEC;
    while (1) {
        sleep LOOK_SEC;
        report_alerts();
        stop_the_third($fleet[2]);
        if (time >= $table_at) {
            print_table();
            $table_at = time + TABLE_SEC;
        }
        last if $check && is_proven();
    }
    print_table();
    print "check: every alert fired for its server, and for no other\n";
    return;
}

# Servers take some seconds to end.
sub interrupt {
    $SIG{INT} = $SIG{TERM} = 'IGNORE';
    $interrupted = 1;
    print "\nending\n";
    exit 0;
}

# ---- servers and their clients ---------------------------------------------

sub start_server {
    my ($one) = @_;
    my $s = AMGR::Httpd->new(mpm => $one->{mpm}, modules => ['wsgi'],
                             log_level => 'notice',
                             name => $one->{mpm});
    $s->{config} = sprintf($limits, $s->wsgi_script) . ($one->{more} // '');
    $one->{server} = $s->start;
    $one->{instance} = '127.0.0.1:' . $s->port;
    return;
}

# Asks for its paths, each on its own and again when it is answered, until it
# is ended or its server is.
sub start_client {
    my ($one) = @_;
    for my $path (@{ $one->{paths} }) {
        my $pid = fork // die "fork: $!\n";
        if ($pid) {
            push @clients, $pid;
            next;
        }
        $SIG{INT} = $SIG{TERM} = sub { POSIX::_exit(0) };
        my $parent = getppid;
        my $s = $one->{server};
        $s->agent->timeout(ANSWER_SEC);
        while (getppid == $parent) {
            $s->get($path);
            sleep PAUSE_SEC;
        }
        POSIX::_exit(0);
    }
    return;
}

sub stop_the_third {
    my ($one) = @_;
    return if $one->{stopped} || time < $begun + STEADY_SEC;
    # Its alert shall be all that there is of it.
    $one->{innocent} = !grep { / \Q$one->{instance}\E$/ } keys %fired;
    say_now("stopping the server on $one->{instance} ($one->{mpm})");
    $one->{server}->stop;
    $one->{stopped} = 1;
    return;
}

# ---- Prometheus --------------------------------------------------------------

sub slurp_shipped {
    my ($name) = @_;
    my $file = repo_dir() . "/conf/prometheus/$name";
    open my $fh, '<', $file or die "$file: $!\n";
    local $/;
    return scalar <$fh>;
}

sub start_prometheus {
    my $config = slurp_shipped('prometheus.yml');
    $config =~ s/^(\s+(?:scrape|evaluation)_interval:).*/$1 1s/mg;
    $config =~ s/^\s+static_configs:\n\s+- targets: \["localhost:80"\]\n//m
        or die "prometheus.yml: its own server is not where it was\n";
    my $rules = slurp_shipped('apache_manager.rules.yml');
    $rules =~ s/^(\s+for: \d+)m$/$1s/mg;
    my $targets = join '', map { <<"END" } @fleet;
- targets: ["$_->{instance}"]
  labels: {cluster: $_->{cluster}}
END
    return AMGR::Prometheus->new(
        config => $config,
        files => { 'apache_manager.rules.yml' => $rules,
                   'targets/fleet.yml' => $targets });
}

# The value of an expression by instance.
sub by_instance {
    my ($expression) = @_;
    return map { $_->{metric}{instance} => $_->{value} }
        $prometheus->query($expression);
}

# ---- what is printed ---------------------------------------------------------

sub say_now {
    my ($text) = @_;
    printf "%s %s\n", POSIX::strftime('%H:%M:%S', localtime), $text;
    return;
}

sub introduce {
    print "A fleet of three private servers and a Prometheus:\n\n";
    printf "    %-8s %-9s %-11s %s\n", @$_{qw(mpm cluster does)},
        $_->{server}->url('/manager-status') for @fleet;
    printf "\n    Prometheus: %s/alerts\n\n", $prometheus->url;
    print "Where the shipped rules wait a minute, these wait a second.\n";
    print "Ctrl-C ends everything.\n" unless $check;
    print "\n";
    return;
}

sub report_alerts {
    my %now;
    for my $alert ($prometheus->alerts) {
        next unless $alert->{state} eq 'firing';
        my ($name, $instance) = @{ $alert->{labels} }{qw(alertname instance)};
        $now{"$name $instance"} = $alert->{annotations}{summary};
    }
    for my $key (sort keys %now) {
        next if exists $firing{$key};
        $fired{$key} = 1;
        say_now("FIRING   $key: $now{$key}");
    }
    for my $key (sort keys %firing) {
        say_now("resolved $key") unless exists $now{$key};
    }
    %firing = %now;
    return;
}

sub print_table {
    my %up = by_instance('up');
    my %busy = by_instance('instance:apache_manager_workers_busy:ratio');
    my %memory = by_instance(
        'instance:apache_manager_resident_memory_bytes:sum');
    my %killed = by_instance(
        'sum by (instance) (apache_manager_workers_killed_total)');
    print "\n";
    printf "    %-8s %-9s %-4s %6s %9s %8s  %s\n", 'mpm', 'cluster', 'up',
        'busy', 'memory', 'retired', 'firing';
    for my $one (@fleet) {
        my $at = $one->{instance};
        my @alerts = map { (split / /)[0] }
            grep { / \Q$at\E$/ } sort keys %firing;
        s/^ApacheManager// for @alerts;
        printf "    %-8s %-9s %-4s %6s %9s %8s  %s\n", @$one{qw(mpm cluster)},
            $up{$at} ? 'yes' : 'no',
            defined $busy{$at} ? sprintf('%d %%', 100 * $busy{$at}) : '-',
            defined $memory{$at} ? sprintf('%d MB', $memory{$at} / 1e6) : '-',
            $killed{$at} // '-', "@alerts";
    }
    print "\n";
    return;
}

# ---- the check ---------------------------------------------------------------

# Each alert came for the server that it is for; none of them for another, and
# none at all for the third while it served.
sub is_proven {
    my @missing = grep { !$fired{"$_->{alert} $_->{instance}"} } @fleet;
    for my $one (@fleet) {
        my @wrong = grep { /^\Q$one->{alert}\E / && !/ \Q$one->{instance}\E$/ }
            keys %fired;
        die "check: fired as well: @wrong\n" if @wrong;
    }
    die "check: an alert fired for the third server while it served\n"
        if $fleet[2]{stopped} && !$fleet[2]{innocent};
    return 1 if !@missing;
    die 'check: not fired within ' . CHECK_SEC . ' s: '
        . join(', ', map { "$_->{alert} of $_->{mpm}" } @missing) . "\n"
        if time > $begun + CHECK_SEC;
    return;
}

# Not of a client that is interrupted before it has its own way to end.
END {
    if (defined $owner && $$ == $owner) {
        my $status = $?;
        kill 'TERM', $_ for @clients;
        waitpid $_, 0 for @clients;
        $prometheus->stop if $prometheus;
        $? = $status;
    }
}
