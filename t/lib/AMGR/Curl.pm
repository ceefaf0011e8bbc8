# SPDX-License-Identifier: Apache-2.0
#
# A load of HTTP/2: some curls, each with many streams over one connection,
# over and over.  curl asks again what the server refused unprocessed, as
# browsers do; what it reports as failed is lost.  An answer must be a 200
# whose body has the length that the application names in "X-Check".
#
#   my $load = AMGR::Curl->start(port => $s->{tls_port}, clients => 3,
#                                dir => $s->path('work'), mix => [...]);
#   my $result = $load->stop;      # { requests => N, failed => N, torn => N }
package AMGR::Curl;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use POSIX ();
use Time::HiRes qw(time);

use constant {
    BATCH      => 200,  # requests of one curl
    STREAMS    => 10,
    LIMIT_SEC  => 60,   # of one request
    STOP_SEC   => 90,
};

my %running;
my $owner = $$;

# mix: 'WEIGHT:/PATH' as for AMGR::Load; every path is the application's.
sub start {
    my ($class, %opt) = @_;
    my $self = bless { %opt, pids => [] }, $class;
    my @paths = map {
        my ($weight, $path) = split /:/, $_, 2;
        ($path) x $weight;
    } @{ $opt{mix} };
    unlink $self->stop_file;
    for my $client (1 .. $opt{clients}) {
        my $pid = fork // die "fork: $!\n";
        if ($pid == 0) {
            # It ends with the test, and its curl with it.
            POSIX::setpgid(0, 0);
            $SIG{TERM} = 'DEFAULT';
            srand $client;
            eval { $self->client($client, @paths); 1 }
                or warn "curl client: $@";
            POSIX::_exit(0);
        }
        $running{$pid} = 1;
        push @{ $self->{pids} }, $pid;
    }
    return $self;
}

sub stop_file { return "$_[0]{dir}/curl.stop" }
sub log_file { my ($self, $client) = @_; return "$self->{dir}/curl.$client" }

# One line to each request: when, the exit code of the transfer, the batch,
# the status, bytes, X-Check, path and words.
sub client {
    my ($self, $client, @paths) = @_;
    my $test = getppid;
    my $urls = "$self->{dir}/curl.$client.urls";
    open my $log, '>>', $self->log_file($client) or die "log: $!\n";
    $log->autoflush(1);
    for (my $batch = 1; !-e $self->stop_file && getppid == $test; $batch++) {
        open my $fh, '>', $urls or die "$urls: $!\n";
        for my $serial (1 .. BATCH) {
            my $path = $paths[rand @paths];
            print {$fh} "url = \"https://127.0.0.1:$self->{port}$path\"\n",
                "output = \"/dev/null\"\n";
        }
        close $fh;
        my @command = ('curl', '-q', '-k', '-s', '--no-progress-meter',
                       '--http2', '-Z',
                       '--parallel-max', STREAMS, '--max-time', LIMIT_SEC,
                       '-H', "X-Serial: $batch", '-w',
                       "%{exitcode}\t%{http_code}\t%{http_version}\t"
                       . "%{size_download}\t%header{x-check}\t%{url}\t"
                       . "%{errormsg}\n", '-K', $urls);
        open my $curl, '-|', @command or die "curl: $!\n";
        my $count = 0;
        while (my $line = <$curl>) {
            printf {$log} "%.3f\t%d.%d\t%s", time, $client, $batch, $line;
            $count++;
        }
        close $curl;
        # Whatever curl does not speak of has failed.
        for ($count + 1 .. BATCH) {
            printf {$log} "%.3f\t%d.%d\t-1\t0\t0\t0\t\t\tunreported\n", time,
                $client, $batch;
        }
    }
    return;
}

# So far: requests, failed, torn (batches, and so connections, with failures)
# and the first failures in words.
sub progress {
    my ($self) = @_;
    my %sum = (requests => 0, failed => 0, words => []);
    my %torn;
    for my $client (1 .. $self->{clients}) {
        open my $log, '<', $self->log_file($client) or next;
        while (my $line = <$log>) {
            chomp $line;
            my ($time, $batch, $exit, $status, $version, $bytes, $check, $url,
                $words) = split /\t/, $line;
            next unless defined $words || $line =~ /\t\z/;
            $sum{requests}++;
            my ($length) = ($check // '') =~ /^\d+ (\d+) /;
            next if $exit == 0 && $status == 200 && $version eq '2'
                && defined $length && $length == $bytes;
            $sum{failed}++;
            $torn{$batch}++;
            push @{ $sum{words} }, $line if @{ $sum{words} } < 20;
        }
    }
    $sum{torn} = keys %torn;
    return \%sum;
}

sub wait_for {
    my ($self, $requests, $timeout) = @_;
    return wait_until(sub {
        my $so_far = $self->progress;
        $so_far->{requests} >= $requests && $so_far;
    }, $timeout, "$requests requests");
}

# Each client ends its batch first.
sub stop {
    my ($self) = @_;
    open my $fh, '>', $self->stop_file or die $self->stop_file . ": $!\n";
    close $fh;
    for my $pid (@{ $self->{pids} }) {
        wait_until(sub { waitpid($pid, POSIX::WNOHANG()) == $pid }, STOP_SEC,
                   "the end of curl client $pid")
            and delete $running{$pid};
    }
    return $self->progress;
}

END {
    if ($$ == $owner) {
        my $status = $?;
        for my $pid (keys %running) {
            kill 'KILL', $pid, -$pid;
            waitpid $pid, 0;
        }
        $? = $status;
    }
}

1;
