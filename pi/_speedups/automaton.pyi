from pi._speedups._automaton import Automaton as Automaton
