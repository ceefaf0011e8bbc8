# SPDX-License-Identifier: Apache-2.0
#
# Instructions of ours in an ordinary request, counted by callgrind: what runs
# in our object and in what it calls, without httpd's own dispatch of hooks.
# Two runs that differ only in the number of requests; the difference is what
# a request costs.
package Bench::Request;

use strict;
use warnings;

use AMGR::Httpd ();
use Bench::Client qw(keep_asking);
use File::Basename qw(basename);
use List::Util qw(max sum0);

use constant {
    FEW           => 200,
    MANY          => 1200,
    REACH_HOOKS   => 2,
    REACH_PER_HOOK => 10,
    OBJECT        => 'mod_apache_manager.so',
};

# Time limits, each beside the same configuration without it: a section costs
# httpd something whatever it says.
my @limits = (
    ["the server's ManagerMaxTime", "ManagerMaxTime 10m\n", ''],
    ["a location's ManagerMaxTime", location('ManagerMaxTime 10m'),
     location('Options None')],
    ["a location's ManagerMaxTime Off",
     "ManagerMaxTime 10m\n" . location('ManagerMaxTime Off'),
     location('Options None')],
);

sub location {
    my ($directive) = @_;
    return "<Location \"/\">\n$directive\n</Location>\n";
}

sub per_request {
    my ($config) = @_;
    my %run = map { $_ => profile($_, 1, $config) } FEW, MANY;
    return ($run{+MANY}{total} - $run{+FEW}{total}) / (MANY - FEW);
}

sub measure {
    my ($report) = @_;
    my %with = map { $_ => profile($_, 1) } FEW, MANY;
    my %without = map { $_ => profile($_, 0) } FEW, MANY;
    my $requests = MANY - FEW;
    my %hook;
    for my $name (keys %{ $with{+MANY}{entered} }) {
        my $few = $with{+FEW}{entered}{$name} // { calls => 0, cost => 0 };
        my $many = $with{+MANY}{entered}{$name};
        my $calls = $many->{calls} - $few->{calls};
        next if $calls < $requests / 2; # once in a while, not at requests
        $hook{$name} = {
            per_request => $calls / $requests,
            cost => ($many->{cost} - $few->{cost}) / $calls,
        };
    }
    my @names = sort keys %hook;
    @names or die "no hook of ours was called: is this what was loaded?\n";
    my $hooks = sum0 map { $_->{per_request} } values %hook;
    my $worst = max map { $_->{cost} } values %hook;
    my $before = ($without{+MANY}{total} - $without{+FEW}{total}) / $requests;
    my $after = ($with{+MANY}{total} - $with{+FEW}{total}) / $requests;
    $report->row('hooks of ours in a request', $hooks, '', REACH_HOOKS,
                 "@names");
    $report->row('instructions in each, at most', $worst, '', REACH_PER_HOOK);
    $report->ratio('instructions of a request, with against without',
                   $after / $before,
                   sprintf '%.0f, %.0f', $after, $before);
    for (@limits) {
        my ($name, $with, $without) = @$_;
        $report->row("instructions more with $name",
                     per_request($with) - per_request($without), '');
    }
    return;
}

# One server with one process under callgrind, so many requests, its profile.
sub profile {
    my ($requests, $manager, $config) = @_;
    $config //= '';
    my $server = Bench::Request::Httpd->new(
        mpm => 'prefork', manager => $manager, location => 0,
        args => ['-X'], log_level => 'notice', as_user => user(),
        config => <<"END");
ExtendedStatus On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
$config
END
    $server->start;
    keep_asking($server->port, '/index.html', $requests);
    # One process that serves and never was a parent leaves its board behind.
    my @wrong = grep { /^process/ } $server->stop;
    die "callgrind: @wrong\n" if @wrong;
    my $file = $server->path('work/callgrind.out');
    -s $file or die "callgrind wrote no $file\n";
    return read_profile($file);
}

# Callgrind cannot write its file any more once httpd has changed its user.
sub user { return $> == 0 ? scalar getpwnam 'www-data' : undef }

# Sums by what callgrind lists for each function: its own cost, and below each
# "calls=" the whole cost of those calls.  "cob=" and "cfn=" say what the next
# call calls, and "cob=" counts for that call alone.
sub read_profile {
    my ($file) = @_;
    my %profile = (total => 0, entered => {});
    my ($object, $called_object, $called, $calls) = ('', '', '', 0);
    open my $in, '<', $file or die "$file: $!\n";
    while (my $line = <$in>) {
        if ($line =~ /^ob=(.*)/) {
            $object = $called_object = basename($1);
        }
        elsif ($line =~ /^cob=(.*)/) {
            $called_object = basename($1);
        }
        elsif ($line =~ /^cfn=(.*)/) {
            $called = $1;
        }
        elsif ($line =~ /^calls=(\d+)/) {
            $calls = $1;
            my (undef, $cost) = split ' ', scalar <$in>;
            # From httpd into our object: a hook, with all that it calls.
            if ($called_object eq OBJECT && $object ne OBJECT) {
                $profile{entered}{$called}{calls} += $calls;
                $profile{entered}{$called}{cost} += $cost;
            }
            $called_object = $object;
        }
        elsif ($line =~ /^[+*\-\d]\S* (\d+)/) {
            $profile{total} += $1;
        }
    }
    close $in;
    return \%profile;
}

# The same private server, its httpd run by callgrind.
package Bench::Request::Httpd;

our @ISA = ('AMGR::Httpd');

sub become_httpd {
    my ($self, @args) = @_;
    open STDIN, '<', '/dev/null';
    local %ENV = (PATH => '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL => 'C.UTF-8',
                  AMGR::Httpd::MARK() => $self->{root});
    my $uid = $self->{as_user};
    my @as = defined $uid
        ? ("--reuid=$uid", '--regid=' . (getpwuid $uid)[3], '--clear-groups')
        : ();
    exec 'setpriv', @as, '--pdeathsig', 'TERM',
        'valgrind', '--tool=callgrind', '--vgdb=no', '--compress-strings=no',
        '--compress-pos=no',
        '--callgrind-out-file=' . $self->path('work/callgrind.out'),
        AMGR::Httpd::httpd_program(), @args
        or POSIX::_exit(127);
}

1;
