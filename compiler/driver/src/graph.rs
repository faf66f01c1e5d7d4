//! Which source imports which.
//!
//! Circles are found by Tarjan's algorithm of strongly connected components, written with a stack of
//! its own because a chain of imports may be long. Components come out after those they reach.

/// The imports among sources, which are numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Graph {
    /// All sources, each after those it imports, circles apart.
    pub(crate) order: Vec<usize>,
    component_of: Vec<usize>,
    components: Vec<Vec<usize>>,
}

impl Graph {
    /// The graph in which source `i` imports `targets[i]`.
    pub(crate) fn of(targets: &[Vec<usize>]) -> Graph {
        let count = targets.len();
        let mut search = Search {
            targets,
            reached: vec![None; count],
            lowest: vec![0; count],
            next: 0,
            open: Vec::new(),
            is_open: vec![false; count],
            graph: Graph { component_of: vec![0; count], ..Graph::default() },
        };
        for start in 0..count {
            if search.reached.get(start) == Some(&None) {
                search.from(start);
            }
        }
        search.graph
    }

    /// The members of the circle that the import of `target` by `source` closes.
    pub(crate) fn circle(&self, source: usize, target: usize) -> Option<&[usize]> {
        let component = self.component_of.get(source)?;
        let same = self.component_of.get(target) == Some(component);
        self.components.get(*component).filter(|_| same).map(Vec::as_slice)
    }
}

struct Search<'a> {
    targets: &'a [Vec<usize>],
    /// When each source was reached.
    reached: Vec<Option<usize>>,
    /// The first reached of those open ones that a source leads to.
    lowest: Vec<usize>,
    next: usize,
    /// The sources whose component is not complete.
    open: Vec<usize>,
    is_open: Vec<bool>,
    graph: Graph,
}

impl Search<'_> {
    fn from(&mut self, start: usize) {
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        self.reach(start);
        while let Some((source, seen)) = path.last_mut() {
            let (source, target) = (*source, self.targets.get(*source).and_then(|targets| targets.get(*seen)));
            *seen += 1;
            match target {
                Some(target) if self.reached.get(*target) == Some(&None) => {
                    self.reach(*target);
                    path.push((*target, 0));
                }
                Some(target) => self.see(source, *target),
                None => {
                    path.pop();
                    self.leave(source, path.last().map(|(parent, _)| *parent));
                }
            }
        }
    }

    fn reach(&mut self, source: usize) {
        set(&mut self.reached, source, Some(self.next));
        set(&mut self.lowest, source, self.next);
        set(&mut self.is_open, source, true);
        self.next += 1;
        self.open.push(source);
    }

    /// An import of something reached before.
    fn see(&mut self, source: usize, target: usize) {
        if self.is_open.get(target) == Some(&true) {
            let time = self.reached.get(target).copied().flatten().unwrap_or_default();
            self.lower(source, time);
        }
    }

    /// Everything below `source` has been seen.
    fn leave(&mut self, source: usize, parent: Option<usize>) {
        let lowest = self.lowest.get(source).copied().unwrap_or_default();
        if let Some(parent) = parent {
            self.lower(parent, lowest);
        }
        if self.reached.get(source).copied().flatten() != Some(lowest) {
            return;
        }
        let mut members = Vec::new();
        while let Some(member) = self.open.pop() {
            set(&mut self.is_open, member, false);
            set(&mut self.graph.component_of, member, self.graph.components.len());
            members.push(member);
            if member == source {
                break;
            }
        }
        self.graph.order.extend(members.iter().rev());
        // An import of itself is a circle too; a component of one without it is never asked for.
        self.graph.components.push(members);
    }

    fn lower(&mut self, source: usize, time: usize) {
        if let Some(lowest) = self.lowest.get_mut(source) {
            *lowest = time.min(*lowest);
        }
    }
}

fn set<T>(list: &mut [T], at: usize, value: T) {
    if let Some(slot) = list.get_mut(at) {
        *slot = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_follows_what_it_imports() {
        let graph = Graph::of(&[vec![1, 2], vec![2], vec![], vec![0]]);
        assert_eq!(graph.order, [2, 1, 0, 3]);
        for (source, target) in [(0, 1), (0, 2), (1, 2), (3, 0)] {
            assert_eq!(graph.circle(source, target), None);
        }
    }

    #[test]
    fn circles_are_found_wherever_they_are() {
        let graph = Graph::of(&[vec![1], vec![2], vec![1, 3], vec![3], vec![0, 4, 2]]);
        let circle = |source, target| {
            graph.circle(source, target).map(|members| {
                let mut members = members.to_vec();
                members.sort_unstable();
                members
            })
        };
        assert_eq!(circle(1, 2), Some(vec![1, 2]));
        assert_eq!(circle(2, 1), Some(vec![1, 2]));
        assert_eq!(circle(3, 3), Some(vec![3]));
        assert_eq!(circle(4, 4), Some(vec![4]));
        assert_eq!((circle(0, 1), circle(2, 3), circle(4, 0)), (None, None, None));
        assert_eq!(graph.order.len(), 5);
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let count = 200_000;
        let targets: Vec<Vec<usize>> = (0..count).map(|index| vec![(index + 1) % count]).collect();
        assert_eq!(Graph::of(&targets).circle(0, 1).map(<[usize]>::len), Some(count));
    }
}
