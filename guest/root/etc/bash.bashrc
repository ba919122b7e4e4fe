# For interactive shells.
[ -z "$PS1" ] && return

PS1='\[\e[1;32m\]host\[\e[0m\]:\[\e[1;34m\]\w\[\e[0m\]\$ '

# The tab can be closed at any time: each command goes to the file at once.
HISTFILE=$HOME/.bash_history
HISTSIZE=2000
HISTFILESIZE=2000
HISTCONTROL=ignoreboth
PROMPT_COMMAND='history -a'
shopt -s histappend checkwinsize

alias ls='ls --color=auto'
alias ll='ls -l'
alias grep='grep --color=auto'

for completion in /etc/bash_completion.d/*; do
	. "$completion"
done
unset completion
